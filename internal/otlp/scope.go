package otlp

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// appendScopeOf appends the fields of ScopeSpans that name the scope of s, or nothing if it is the kit's.
func appendScopeOf(dst []byte, s *model.Span, f *otlpFields) []byte {
	if f.scopeName == "" && f.scopeVersion == "" && s.Scope == nil {
		return dst
	}
	dst, at := begin(dst, scopeSpansScope)
	dst = appendText(dst, scopeName, f.scopeName)
	if f.scopeVersion != "" {
		dst = appendText(dst, scopeVersion, f.scopeVersion)
	}
	if s.Scope != nil {
		for i := range s.Scope.Attributes {
			dst = appendTag(dst, scopeAttributes, &s.Scope.Attributes[i])
		}
	}
	dst = end(dst, at)
	if s.Scope != nil && s.Scope.SchemaURL != "" {
		dst = appendText(dst, scopeSpansSchemaURL, s.Scope.SchemaURL)
	}
	return dst
}

// scopeBytes returns how many bytes of what [AppendSpan] wrote name the scope.
func scopeBytes(span []byte) (n int) {
	for n < len(span) {
		field, typ, tag := protowire.ConsumeTag(span[n:])
		if tag < 0 || field == scopeSpansSpans {
			break
		}
		value := protowire.ConsumeFieldValue(field, typ, span[n+tag:])
		if value < 0 {
			break
		}
		n += tag + value
	}
	return n
}

// scopeGroup is the spans of one scope.
type scopeGroup struct {
	scope []byte
	spans [][]byte
}

// groupOf returns the group of the scope, which it adds if there is none.
func groupOf(groups *[]scopeGroup, scope []byte) *scopeGroup {
	for i := range *groups {
		if bytes.Equal((*groups)[i].scope, scope) {
			return &(*groups)[i]
		}
	}
	*groups = append(*groups, scopeGroup{scope: scope})
	return &(*groups)[len(*groups)-1]
}

func (g *scopeGroup) size() int {
	n := len(g.scope)
	for _, s := range g.spans {
		n += len(s)
	}
	return n
}

// append appends the group as one ScopeSpans field.
func (g *scopeGroup) append(dst []byte) []byte {
	dst = protowire.AppendTag(dst, resourceSpansScopeSpans, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(g.size()))
	dst = append(dst, g.scope...)
	for _, s := range g.spans {
		dst = append(dst, s...)
	}
	return dst
}

type scope struct {
	name, version string
	spans         []*model.Span
}

// scopesOf groups spans by their scope, in the order in which scopes are met.
func scopesOf(spans []model.Span) (scopes []scope) {
	type id struct{ name, version string }
	index := map[id]int{}
	for i := range spans {
		var s id
		for j := range spans[i].Tags {
			switch t := &spans[i].Tags[j]; t.Key {
			case tagScopeName:
				s.name = text(t.Value)
			case tagScopeVersion:
				s.version = text(t.Value)
			}
		}
		at, ok := index[s]
		if !ok {
			at = len(scopes)
			index[s] = at
			scopes = append(scopes, scope{name: s.name, version: s.version})
		}
		scopes[at].spans = append(scopes[at].spans, &spans[i])
	}
	return scopes
}

// isRedundant reports whether the scope alone brings t back.
func (s *scope) isRedundant(t *model.Tag) bool {
	switch t.Key {
	case tagScopeName:
		return s.name != "" && s.name != scopeOfKit && t.Value == model.String(s.name)
	case tagScopeVersion:
		return s.version != "" && s.name != scopeOfKit && t.Value == model.String(s.version)
	}
	return false
}
