package tracerinit

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	jaegerTagsVariable = "JAEGER_TAGS"
	attributesVariable = "OTEL_RESOURCE_ATTRIBUTES"
)

// attributes are the process tags that were given, by family.
type attributes struct {
	code, jaeger, otel map[string]string
	typed              map[string]any // code's, with their types
}

func (r *resolver) attributes(code map[string]any) attributes {
	a := attributes{
		code: map[string]string{}, typed: map[string]any{}, jaeger: r.jaegerTags(), otel: r.resourceAttributes(),
	}
	for k, v := range code {
		if k = strings.TrimSpace(k); k == "" || v == nil {
			continue
		}
		a.typed[k] = simpleValue(v)
		a.code[k] = fmt.Sprint(a.typed[k])
	}
	return a
}

// simpleValue reduces v to a type that can be written without calling a method of the user's.
func simpleValue(v any) any {
	switch value := model.ValueOf(v, 0); value.Kind() {
	case model.KindBool:
		return value.Bool()
	case model.KindInt:
		return value.Int()
	case model.KindFloat:
		return value.Float()
	default:
		return value.Str()
	}
}

func (a attributes) fromJaeger(key string) candidate[string] {
	return candidate[string]{jaegerTagsVariable, a.jaeger[key], anyText}
}

func (a attributes) fromOTel(key string) candidate[string] {
	return candidate[string]{attributesVariable, a.otel[key], anyText}
}

// jaegerTags reads JAEGER_TAGS: key=value, separated by commas. A value ${NAME:default} is that of another variable.
func (r *resolver) jaegerTags() map[string]string {
	return r.pairs(jaegerTagsVariable, anyText, func(value string) (string, error) {
		inner, ok := strings.CutPrefix(value, "${")
		if inner, ok2 := strings.CutSuffix(inner, "}"); ok && ok2 {
			name, def, _ := strings.Cut(inner, ":")
			if v, _ := r.lookup(name); v != "" {
				return v, nil
			}
			return def, nil
		}
		return value, nil
	})
}

// resourceAttributes reads OTEL_RESOURCE_ATTRIBUTES: key=value, separated by commas, both percent-encoded.
func (r *resolver) resourceAttributes() map[string]string {
	return r.pairs(attributesVariable, url.PathUnescape, url.PathUnescape)
}

// pairs reads a list of key=value, separated by commas. Empty entries are ignored.
func (r *resolver) pairs(variable string, decodeKey, decodeValue func(string) (string, error)) map[string]string {
	raw := r.get(variable)
	out := map[string]string{}
	for e := range entries(raw, decodeKey, decodeValue) {
		if e.ok && e.key != "" {
			out[e.key] = e.value
			continue
		}
		r.wrong(variable, raw, expected(fmt.Sprintf("key=value,key=value; entry %d is not", e.number)))
	}
	return out
}
