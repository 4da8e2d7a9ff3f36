package engine

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// Engine starts and ends spans of one jaeger.Tracer in its stead. Its fields are set before its first use.
type Engine struct {
	Owner      opentracing.Tracer  // who is asked for its engine by Of
	Tracer     *jaeger.Tracer      // without observers, and without a pool of spans
	Sampler    jaeger.Sampler      // decides about each new trace once and for all
	Reporter   jaeger.Reporter     // of Tracer
	Propagator *carrier.Propagator // of Tracer
	Wide       bool                // trace ids have 128 bits
	Off        *atomic.Bool        // while true, no span is started
	Started    *atomic.Uint64      // counts spans
	Finished   *atomic.Uint64      // likewise
}

// Of returns the engine of t. It is nil for a tracer that has none, and for one that embeds a tracer that has, since it
// may do some things its own way.
func Of(t opentracing.Tracer) *Engine {
	has, ok := t.(interface{ Engine() *Engine })
	if !ok {
		return nil
	}
	if e := has.Engine(); e != nil && e.Owner == t {
		return e
	}
	return nil
}

// Request is what a span starts with.
type Request struct {
	Name   string
	At     time.Time
	Server bool              // this process is called
	Kind   []opentracing.Tag // span.kind, as a list
	Room   int               // for tags to come, about
}

// Start does what StartSpan of the tracer does with one parent, nil for a root, and tags of which none is sampling.priority.
// Both are only read, and may be on the caller's stack. It returns nil, having done nothing, where
// it does not know how: with a parent that is none but brings baggage or a debug id, or whose sampling is undecided. Recording is what it is for the
// span.
func (e *Engine) Start(r *Request, parent *jaeger.SpanContext, tags []opentracing.Tag) (s *jaeger.Span, recording bool) {
	if e.Off.Load() || !known() {
		return nil, false
	}
	if parent == nil {
		return e.root(r, tags)
	}
	p := partsOf(parent)
	if !parent.IsValid() || p.samplingState == nil || !p.remote && !p.samplingState.finalized() {
		return nil, false
	}
	if p.remote {
		p.samplingState.finalize()
	}
	c := spanContext{
		traceID: p.traceID, spanID: jaeger.SpanID(randomID()), parentID: p.spanID, baggage: p.baggage, samplingState: p.samplingState,
	}
	recording = p.samplingState.sampled()
	return e.start(r, &c, recording, parent, nil, tags), recording
}

func (e *Engine) root(r *Request, tags []opentracing.Tag) (s *jaeger.Span, recording bool) {
	var c spanContext
	c.traceID.Low = randomID()
	if e.Wide {
		c.traceID.High = rand.Uint64()
	}
	c.spanID = jaeger.SpanID(c.traceID.Low)
	recording, its := e.Sampler.IsSampled(c.traceID, r.Name)
	c.samplingState = newState(recording)
	c.samplingState.localRootSpan = c.spanID
	return e.start(r, &c, recording, nil, plain(its), tags), recording
}

// start makes the span. Tags and reference are for those that are recorded.
func (e *Engine) start(r *Request, c *spanContext, recording bool, parent *jaeger.SpanContext, samplers, tags []opentracing.Tag) *jaeger.Span {
	var s *span
	if recording {
		s = newSpan(len(samplers) + len(r.Kind) + len(tags) + r.Room)
		s.tags = append(append(append(s.tags, samplers...), r.Kind...), tags...)
		if parent != nil {
			s.references = append(s.references, jaeger.Reference{Type: opentracing.ChildOfRef, Context: *parent})
		}
	} else {
		s = fieldsOf(&jaeger.Span{})
	}
	s.tracer, s.context, s.operationName, s.startTime, s.observer = e.Tracer, *c, r.Name, r.At, deaf()
	s.firstInProcess = r.Server || c.parentID == 0
	e.Started.Add(1)
	return s.jaeger()
}

func randomID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 {
			return id
		}
	}
}

// Finish does what SetTag, with tags of which none is sampling.priority, and FinishWithOptions do of a span that Start has
// started. Zero is now.
func (e *Engine) Finish(j *jaeger.Span, at time.Time, logs []opentracing.LogRecord, tags []opentracing.Tag) {
	s := fieldsOf(j)
	lasted := time.Since(s.startTime) // cheaper than time.Now
	s.Lock()
	if s.numDroppedLogs > 0 {
		s.Unlock()
		SetTags(j, tags...)
		j.FinishWithOptions(opentracing.FinishOptions{FinishTime: at, LogRecords: logs})
		return
	}
	if s.duration = lasted; !at.IsZero() {
		s.duration = at.Sub(s.startTime)
	}
	recording := s.context.samplingState.sampled()
	if recording {
		s.tags = append(s.tags, tags...)
		s.logs = append(s.logs, logs...)
	}
	s.Unlock()
	e.Finished.Add(1)
	if recording {
		e.Reporter.Report(j)
	}
}

// Extract is that of the tracer.
func (e *Engine) Extract(carrier any) (jaeger.SpanContext, error) {
	if !known() {
		sc, err := e.Tracer.Extract(opentracing.HTTPHeaders, carrier)
		if err != nil {
			return jaeger.SpanContext{}, err
		}
		return sc.(jaeger.SpanContext), nil
	}
	sc, err := e.Propagator.Extract(carrier)
	partsOf(&sc).remote = err == nil
	return sc, err
}

// ContextOf returns the context of a span.
func ContextOf(j *jaeger.Span) jaeger.SpanContext {
	if !known() {
		return j.SpanContext()
	}
	j.RLock()
	defer j.RUnlock()
	return *fieldsOf(j).context.jaeger()
}

// ContextOfNew is ContextOf for a span that Start has returned and nobody else knows yet.
func ContextOfNew(j *jaeger.Span) jaeger.SpanContext { return *fieldsOf(j).context.jaeger() }
