package tracerinit

import (
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// mayUseEngine reports whether spans of a tracer may be started and finished by package engine, which is faster than
// jaeger-client-go and does less: it decides about sampling once and for all, when a trace begins, and calls no
// observers and counts into no metrics. So a tracer with a custom sampler or options of the user's has no engine.
// The middlewares then use the tracer's own methods.
func mayUseEngine(s resolved) bool {
	return s.sampler.kind != customSampling && len(s.tracerOptions) == 0 && s.metrics == nil
}

// maxStartTags is how many tags a root span can start with before jaeger-client-go loses those of its sampler.
const maxStartTags = 2

// spareTags is for how many tags after its start a span of the program's own has room.
const spareTags = 5

// startArgs is what StartSpan has to know of its options beforehand. Reading them does not allocate.
type startArgs struct {
	parent        jaeger.SpanContext
	childOf       bool // parent is a ChildOf reference, which no later one replaces
	tags          int
	priority      bool // there is a sampling.priority to convert
	unknownOption bool // an option has to be applied to learn what it does

	needsSlowPath bool // there is more than a parent, a time and a few tags
	at            time.Time
	list          [4]opentracing.Tag
}

func (a *startArgs) option(o opentracing.StartSpanOption) {
	switch o := o.(type) {
	case opentracing.SpanReference:
		a.needsSlowPath = a.needsSlowPath || a.childOf || o.Type != opentracing.ChildOfRef
		a.reference(o)
		a.needsSlowPath = a.needsSlowPath || !a.childOf
	case opentracing.StartTime:
		a.at = time.Time(o)
	case opentracing.Tag:
		a.tag(o)
	case opentracing.Tags:
		a.tags += len(o)
		a.needsSlowPath = true
		if v, ok := o[string(ext.SamplingPriority)]; ok {
			a.priority = a.priority || convertible(v)
		}
	case interface {
		Reference() opentracing.SpanReference
	}: // an option of this kit: a reference and at most two tags
		a.reference(o.Reference())
		a.needsSlowPath = true
	default: // nil, too
		a.unknownOption = true
	}
}

func (a *startArgs) tag(tag opentracing.Tag) {
	isPriority := tag.Key == string(ext.SamplingPriority)
	a.priority = a.priority || isPriority && convertible(tag.Value)
	if a.needsSlowPath = a.needsSlowPath || isPriority || a.tags >= len(a.list); !a.needsSlowPath {
		for _, t := range a.list[:a.tags] {
			a.needsSlowPath = a.needsSlowPath || t.Key == tag.Key
		}
		a.list[a.tags] = tag
	}
	a.tags++
}

// reference chooses the parent among several references as jaeger-client-go does.
func (a *startArgs) reference(r opentracing.SpanReference) {
	sc, ok := r.ReferencedContext.(jaeger.SpanContext)
	if !ok || a.childOf || !sc.IsValid() {
		return
	}
	if isChild := r.Type == opentracing.ChildOfRef; isChild || !a.parent.IsValid() {
		a.parent, a.childOf = sc, isChild
	}
}

const serverKind = "server"

// server reports whether the span's kind is that of a process which is called.
func (a *startArgs) server() bool {
	for _, t := range a.list[:a.tags] {
		if t.Key == string(ext.SpanKind) && (t.Value == ext.SpanKindRPCServerEnum || t.Value == serverKind) {
			return true
		}
	}
	return false
}

// startFast starts a span as programs mostly do: with a parent, a time and a few tags at most. It returns nil if there
// is more to it, or if the tracer has no engine.
func (t *Tracer) startFast(name string, a *startArgs) *jaeger.Span {
	if t.Engine() == nil || a.needsSlowPath || a.unknownOption {
		return nil
	}
	var parent *jaeger.SpanContext
	if a.childOf {
		parent = &a.parent
	}
	if a.at.IsZero() {
		a.at = time.Now()
	}
	info := engine.StartInfo{Name: name, Time: a.at, Server: a.server(), SpareTags: spareTags}
	s, _ := t.Engine().Start(&info, parent, a.list[:a.tags])
	return s
}
