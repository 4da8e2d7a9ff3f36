package otlp

import (
	"fmt"
	"slices"

	"github.com/spanloom/spanloom/internal/model"
)

// spanParts is a span as OTLP has it, in either encoding.
type spanParts struct {
	model.Span
	start, end uint64
	kind       uint64
	status     uint64
	message    string
}

// batchOf makes the batch of one resource: its service name is no tag.
func batchOf(attributes []model.Tag, spans []model.Span) model.Batch {
	b := model.Batch{Process: model.Process{Service: unknownService}, Spans: spans}
	for _, t := range attributes {
		if t.Key != tagService {
			b.Process.Tags = append(b.Process.Tags, t)
		} else if text(t.Value) != "" {
			b.Process.Service = t.Value.Str()
		}
	}
	return b
}

// finish turns what OTLP has fields for into tags, as Jaeger shows it.
func (p *spanParts) finish(in *model.Builder) error {
	s := &p.Span
	if s.TraceID == (model.TraceID{}) || s.SpanID == 0 {
		return fmt.Errorf("otlp: span %.100q has no trace id or no span id", s.Name)
	}
	s.Start = timeOf(p.start)
	if p.end > p.start {
		s.Duration = timeOf(p.end).Sub(s.Start)
	}
	if p.kind > 0 && p.kind < uint64(len(kindNames)) {
		addTag(in, s, tagKind, model.String(kindNames[p.kind]))
	}
	if p.status == statusError {
		addTag(in, s, tagError, model.Bool(true))
	}
	if p.status > 0 && p.status < uint64(len(statusNames)) {
		addTag(in, s, tagStatusCode, model.String(statusNames[p.status]))
	}
	if p.message != "" {
		addTag(in, s, tagStatusDescription, model.String(p.message))
	}
	dropParent(s)
	return nil
}

// addTag adds a tag to s unless s has one of that key, which then is the truth.
func addTag(in *model.Builder, s *model.Span, key string, v model.Value) {
	if !has(s.Tags, key) {
		s.Tags = in.Tag(s.Tags, key, v)
	}
}

func has(tags []model.Tag, key string) bool {
	for i := range tags {
		if tags[i].Key == key {
			return true
		}
	}
	return false
}

// dropParent leaves out the link that only says again who the parent is.
func dropParent(s *model.Span) {
	parent := model.Ref{Type: model.ChildOf, TraceID: s.TraceID, SpanID: s.ParentID}
	s.Refs = slices.DeleteFunc(s.Refs, func(r model.Ref) bool { return r == parent })
}

// addScope adds the scope to its spans as tags, unless it is the scope of all spans that this kit exports.
func addScope(in *model.Builder, spans []model.Span, name, version string) {
	if name == scopeOfKit {
		return
	}
	for i := range spans {
		if name != "" {
			addTag(in, &spans[i], tagScopeName, model.String(name))
		}
		if version != "" {
			addTag(in, &spans[i], tagScopeVersion, model.String(version))
		}
	}
}

// logOf makes the log of an event.
func logOf(in *model.Builder, ns uint64, name string, attributes []model.Tag) model.Log {
	l := model.Log{Time: timeOf(ns), Fields: attributes}
	if name == "" || name == unnamedEvent {
		return l
	}
	l.Fields = append(in.Tag(nil, fieldEvent, model.String(name)), attributes...)
	return l
}

// refOf makes the reference of a link; ok is false for one that names no span.
func refOf(id model.TraceID, spanID uint64, attributes []model.Tag) (r model.Ref, ok bool) {
	r = model.Ref{Type: model.FollowsFrom, TraceID: id, SpanID: spanID}
	for _, t := range attributes {
		if t.Key == tagRefType && text(t.Value) == refChildOf {
			r.Type = model.ChildOf
		}
	}
	return r, spanID != 0 && id != (model.TraceID{})
}
