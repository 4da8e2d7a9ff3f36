package tracerinit

import (
	"maps"
	"reflect"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// maxStartTags is how many tags a root span can start with before jaeger-client-go forgets those of its sampler.
const maxStartTags = 2

// glance is what StartSpan must know of its options beforehand. Looking at one does not allocate.
type glance struct {
	parent   jaeger.SpanContext
	childOf  bool // parent is a ChildOf reference, which no later one replaces
	tags     int
	priority bool // there is a sampling.priority to convert
	opaque   bool // an option tells nothing until it is applied

	odd  bool // not only a parent, a time and few tags
	at   time.Time
	list [4]opentracing.Tag
}

func (g *glance) option(o opentracing.StartSpanOption) {
	switch o := o.(type) {
	case opentracing.SpanReference:
		g.odd = g.odd || g.childOf || o.Type != opentracing.ChildOfRef
		g.reference(o)
		g.odd = g.odd || !g.childOf
	case opentracing.StartTime:
		g.at = time.Time(o)
	case opentracing.Tag:
		g.tag(o)
	case opentracing.Tags:
		g.tags += len(o)
		g.odd = true
		if v, ok := o[string(ext.SamplingPriority)]; ok {
			g.priority = g.priority || convertible(v)
		}
	case interface {
		Reference() opentracing.SpanReference
	}: // an option of this kit: a reference and at most two tags
		g.reference(o.Reference())
		g.odd = true
	default: // nil, too
		g.opaque = true
	}
}

func (g *glance) tag(tag opentracing.Tag) {
	isPriority := tag.Key == string(ext.SamplingPriority)
	g.priority = g.priority || isPriority && convertible(tag.Value)
	if g.odd = g.odd || isPriority || g.tags >= len(g.list); !g.odd {
		for _, t := range g.list[:g.tags] {
			g.odd = g.odd || t.Key == tag.Key
		}
		g.list[g.tags] = tag
	}
	g.tags++
}

// server reports whether the span's kind says that this process is called.
func (g *glance) server() bool {
	for _, t := range g.list[:g.tags] {
		if t.Key == string(ext.SpanKind) && (t.Value == ext.SpanKindRPCServerEnum || t.Value == string(ext.SpanKindRPCServerEnum)) {
			return true
		}
	}
	return false
}

// startUsual starts a span as programs mostly do, with a parent, a time and few tags at most. It returns nil if that is
// not all, or is not for the engine.
func (t *Tracer) startUsual(name string, g *glance) *jaeger.Span {
	if g.odd || g.opaque {
		return nil
	}
	var parent *jaeger.SpanContext
	if g.childOf {
		parent = &g.parent
	}
	if g.at.IsZero() {
		g.at = time.Now()
	}
	s, _ := t.engine.Start(&engine.StartInfo{Name: name, Time: g.at, Server: g.server(), SpareTags: usualTags}, parent, g.list[:g.tags])
	return s
}

// usualTags is how many tags a span of a program's own may get after its start.
const usualTags = 2

// reference chooses the parent among several as jaeger-client-go does.
func (g *glance) reference(r opentracing.SpanReference) {
	sc, ok := r.ReferencedContext.(jaeger.SpanContext)
	if !ok || g.childOf || !sc.IsValid() {
		return
	}
	if isChild := r.Type == opentracing.ChildOfRef; isChild || !g.parent.IsValid() {
		g.parent, g.childOf = sc, isChild
	}
}

// startApplied starts a span with options that StartSpan cannot hand on as they are.
func (t *Tracer) startApplied(name string, options []opentracing.StartSpanOption) opentracing.Span {
	var all opentracing.StartSpanOptions
	for _, o := range options {
		if o != nil {
			o.Apply(&all)
		}
	}
	var seen glance
	for _, r := range all.References {
		seen.reference(r)
	}
	if v, ok := all.Tags[string(ext.SamplingPriority)]; ok && convertible(v) {
		all.Tags = maps.Clone(all.Tags)
		all.Tags[string(ext.SamplingPriority)] = toPriority(v)
	}
	if seen.parent.IsValid() {
		defer t.lock(seen.parent.TraceID().Low).Unlock()
		return t.tracer.StartSpan(name, (*applied)(&all))
	}
	var late map[string]any
	if len(all.Tags) > maxStartTags {
		all.Tags, late = split(all.Tags)
	}
	span := t.tracer.StartSpan(name, (*applied)(&all))
	for k, v := range late {
		span.SetTag(k, v)
	}
	return span
}

// applied are options that have been applied already.
type applied opentracing.StartSpanOptions

func (a *applied) Apply(o *opentracing.StartSpanOptions) { *o = opentracing.StartSpanOptions(*a) }

// split leaves the tags that the engine looks at in early.
func split(tags map[string]any) (early, late map[string]any) {
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

// convertible reports whether v is a number or bool that jaeger-client-go would not take for a sampling.priority:
// it wants a uint16.
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
	case r.CanInt() && r.Int() > 0, r.CanUint() && r.Uint() > 0, r.CanFloat() && r.Float() > 0, r.Kind() == reflect.Bool && r.Bool():
		return 1
	}
	return 0
}
