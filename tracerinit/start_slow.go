package tracerinit

import (
	"maps"
	"reflect"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
)

// startSlow starts a span with options that cannot be passed to jaeger-client-go as they are.
func (t *Tracer) startSlow(name string, options []opentracing.StartSpanOption) opentracing.Span {
	var all opentracing.StartSpanOptions
	for _, o := range options {
		if o != nil {
			o.Apply(&all)
		}
	}
	var args startArgs
	for _, r := range all.References {
		args.reference(r)
	}
	if v, ok := all.Tags[string(ext.SamplingPriority)]; ok && convertible(v) {
		all.Tags = maps.Clone(all.Tags)
		all.Tags[string(ext.SamplingPriority)] = toPriority(v)
	}
	if args.parent.IsValid() {
		defer t.lock(args.parent.TraceID().Low).Unlock()
		return t.tracer.StartSpan(name, (*appliedOptions)(&all))
	}
	var late map[string]any
	if len(all.Tags) > maxStartTags {
		all.Tags, late = splitTags(all.Tags)
	}
	span := t.tracer.StartSpan(name, (*appliedOptions)(&all))
	for k, v := range late {
		span.SetTag(k, v)
	}
	return span
}

// appliedOptions are options that have been applied.
type appliedOptions opentracing.StartSpanOptions

func (a *appliedOptions) Apply(o *opentracing.StartSpanOptions) {
	*o = opentracing.StartSpanOptions(*a)
}

// splitTags puts the tags that jaeger-client-go reads when a span starts into early.
func splitTags(tags map[string]any) (early, late map[string]any) {
	early, late = map[string]any{}, make(map[string]any, len(tags))
	for k, v := range tags {
		if k == string(ext.SpanKind) || k == string(ext.SamplingPriority) {
			early[k] = v
		} else {
			late[k] = v
		}
	}
	return early, late
}

// convertible reports whether v is a number or bool that jaeger-client-go would not accept as a sampling.priority: it
// wants a uint16.
func convertible(v any) bool {
	if _, ok := v.(uint16); ok {
		return false
	}
	k := reflect.ValueOf(v).Kind()
	return k >= reflect.Bool && k <= reflect.Float64
}

// toPriority turns a value into what jaeger-client-go wants: 1 for anything above zero and true, else 0.
func toPriority(v any) uint16 {
	switch r := reflect.ValueOf(v); {
	case r.CanInt() && r.Int() > 0, r.CanUint() && r.Uint() > 0, r.CanFloat() && r.Float() > 0,
		r.Kind() == reflect.Bool && r.Bool():
		return 1
	}
	return 0
}
