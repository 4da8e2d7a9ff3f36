package tracerinit

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	allowsNone = -1 // the limit in [model.Limits] that keeps nothing
	noLimit    = -2 // any negative number in [Limits]
)

func (r *resolver) limits(code Limits) model.Limits {
	bound := func(name string, code, def, ifZero int, variables ...string) int {
		var candidates []candidate[int]
		for _, v := range variables {
			candidates = append(candidates, from(r, v, limit(ifZero)))
		}
		if code < 0 {
			code = noLimit
		}
		c := choose(r, code, def, candidates...)
		switch c.value {
		case noLimit:
			r.note(name, "none", c.source, c.overrides...)
			return 0
		case allowsNone:
			r.note(name, "0", c.source, c.overrides...)
		default:
			r.note(name, strconv.Itoa(c.value), c.source, c.overrides...)
		}
		return c.value
	}
	links, linkFields := r.linkLimits()
	const count, length = "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
	return model.Limits{
		Tags:   bound("limits.tags", code.Tags, 128, allowsNone, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count),
		Logs:   bound("limits.logs", code.Logs, 128, allowsNone, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
		Fields: bound("limits.fields", code.Fields, 128, allowsNone, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", count),
		// A limit of one byte is as good as one of zero, which means none to package model.
		ValueBytes: bound(
			"limits.value_bytes", code.ValueBytes, 16<<10, 1, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length,
		),
		Links: links, LinkFields: linkFields,
	}
}

// linkLimits reads the limits on links, which only package otelbridge heeds: a span of OpenTracing has few references,
// and these have no attributes.
func (r *resolver) linkLimits() (links, fields int) {
	defer r.onlyIf(false)()
	links = choose(r, 0, 128, from(r, "OTEL_SPAN_LINK_COUNT_LIMIT", limit(allowsNone))).value
	fields = choose(r, 0, 128, from(r, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", limit(allowsNone))).value
	return links, fields
}
