package engine

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/jaegerspan"
	"github.com/spanloom/spanloom/internal/model"
)

// Engine starts and finishes spans of one [jaeger.Tracer] in place of that tracer. Its fields are set before its first
// use and not changed afterwards, so that an Engine may be used concurrently.
type Engine struct {
	Owner      opentracing.Tracer  // the tracer that has this engine, see Of
	Tracer     *jaeger.Tracer      // has no observers of spans and does not pool them
	Sampler    jaeger.Sampler      // decides about each new trace, and never again
	Reporter   jaeger.Reporter     // of Tracer
	Propagator *carrier.Propagator // of Tracer
	TraceID128 bool                // whether trace ids have 128 bits
	Disabled   *atomic.Bool        // while true, Start starts no span
	Started    *atomic.Uint64      // counts started spans
	Finished   *atomic.Uint64      // counts finished spans
	Views      Views               // another API that sees the spans of the middlewares; nil: none

	StartReporter StartReporter // is called for each recorded span; nil: none
}

// StartReporter is the interface of package tracerinit.
type StartReporter interface {
	ReportStart(name string, sc jaeger.SpanContext, start time.Time)
}

// Holder is embedded in a tracer that has an engine, under an unexported name: so [Of] finds the engine, and the
// tracer's documentation does not list a method that is of no use to others.
type Holder struct {
	engine *Engine
	limits *model.Limits
}

// Engine returns the engine, or nil.
func (h *Holder) Engine() *Engine { return h.engine }

// Hold sets the engine, before the tracer's first use.
func (h *Holder) Hold(e *Engine) { h.engine = e }

// SpanLimits returns the limits of what one span carries, or nil if they are not known.
func (h *Holder) SpanLimits() *model.Limits { return h.limits }

// HoldLimits sets the limits, before the tracer's first use.
func (h *Holder) HoldLimits(l model.Limits) { h.limits = &l }

// Of returns the engine of t. It returns nil if t has none, and if t only embeds a tracer that has one: the outer
// tracer may override what an engine does.
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

// StartInfo is what a span starts with besides its parent and its tags.
type StartInfo struct {
	Name      string
	Time      time.Time
	Server    bool              // whether this process is the one that is called
	StartTags []opentracing.Tag // span.kind
	Shared    *SharedTags       // StartTags and the tags of the call of Start, if the span is to share them; nil: not
	SpareTags int               // about how many tags will be set later
	HideConst bool              // whether the tags of a sampler that samples all traces are left out
}

// Start does what [jaeger.Tracer.StartSpan] does with one parent, nil for a root span, and with tags of which none is
// sampling.priority. It only reads parent and tags, which may be on the caller's stack. recording is the result of
// [Recording] for the new span.
//
// Start returns nil and has no effect for the rare parents whose handling it leaves to the tracer: those without a
// valid trace id that carry baggage or a debug id, and those whose sampling is not yet decided.
func (e *Engine) Start(
	r *StartInfo, parent *jaeger.SpanContext, tags []opentracing.Tag,
) (s *jaeger.Span, recording bool) {
	if e.Disabled.Load() || !jaegerspan.LayoutMatches() {
		return nil, false
	}
	if parent == nil {
		return e.root(r, tags)
	}
	p := jaegerspan.ContextFields(parent)
	if !parent.IsValid() || p.SamplingState == nil || !p.Remote && !p.SamplingState.IsFinal() {
		return nil, false
	}
	if p.Remote {
		p.SamplingState.Finalize()
	}
	c := jaegerspan.Context{
		TraceID: p.TraceID, SpanID: jaeger.SpanID(randomID()), ParentID: p.SpanID,
		Baggage: p.Baggage, SamplingState: p.SamplingState,
	}
	recording = p.SamplingState.Sampled()
	return e.start(r, &c, recording, parent, nil, tags), recording
}

func (e *Engine) root(r *StartInfo, tags []opentracing.Tag) (s *jaeger.Span, recording bool) {
	var c jaegerspan.Context
	c.TraceID.Low = randomID()
	if e.TraceID128 {
		c.TraceID.High = rand.Uint64()
	}
	c.SpanID = jaeger.SpanID(c.TraceID.Low)
	recording, samplerTags := e.Sampler.IsSampled(c.TraceID, r.Name)
	if r.HideConst && isConst(samplerTags) {
		samplerTags = nil
	}
	c.SamplingState = jaegerspan.NewSamplingState(recording)
	c.SamplingState.LocalRootSpan = c.SpanID
	return e.start(r, &c, recording, nil, jaegerspan.OpenTracingTags(samplerTags), tags), recording
}

// isConst reports whether tags are those of a [jaeger.ConstSampler].
func isConst(samplerTags []jaeger.Tag) bool {
	return len(samplerTags) > 0 && samplerTags[0] == (jaeger.NewTag(jaeger.SamplerTypeTagKey, jaeger.SamplerTypeConst))
}

// start makes the span. Only a span that is recorded gets its tags and its reference: no one can see those of others.
func (e *Engine) start(
	r *StartInfo, c *jaegerspan.Context, recording bool, parent *jaeger.SpanContext, samplerTags, tags []opentracing.Tag,
) *jaeger.Span {
	var s *jaegerspan.Span
	switch {
	case !recording:
		s = jaegerspan.Fields(&jaeger.Span{})
	case r.Shared != nil && len(samplerTags) == 0:
		s = jaegerspan.New(0)
		s.Tags = r.Shared.first
	default:
		s = jaegerspan.New(len(samplerTags) + len(r.StartTags) + len(tags) + r.SpareTags)
		s.Tags = append(append(append(s.Tags, samplerTags...), r.StartTags...), tags...)
	}
	if recording && parent != nil {
		s.References = append(s.References, jaeger.Reference{Type: opentracing.ChildOfRef, Context: *parent})
	}
	s.Tracer, s.Context, s.OperationName, s.StartTime = e.Tracer, *c, r.Name, r.Time
	s.Observer = jaegerspan.NoopObserver()
	s.FirstInProcess = r.Server || c.ParentID == 0
	e.Started.Add(1)
	if recording && e.StartReporter != nil {
		e.StartReporter.ReportStart(r.Name, WithoutBaggage(*c.Jaeger()), r.Time)
	}
	return s.Jaeger()
}

// randomID returns a random id with all 64 bits in use. Zero is no valid id.
func randomID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 {
			return id
		}
	}
}

// Finish does what SetTag, for each of tags, and FinishWithOptions do of a span that [Engine.Start] started. None of
// the tags may be sampling.priority. A zero end is now. shared are the tags that the span may have started with, if it
// is likely that others end with the same ones, else nil.
func (e *Engine) Finish(
	j *jaeger.Span, end time.Time, logs []opentracing.LogRecord, tags []opentracing.Tag, shared *SharedTags,
) {
	s := jaegerspan.Fields(j)
	elapsed := time.Since(s.StartTime) // cheaper than time.Now
	s.Lock()
	if s.NumDroppedLogs > 0 { // the library has logs to reorder
		s.Unlock()
		SetTags(j, tags...)
		j.FinishWithOptions(opentracing.FinishOptions{FinishTime: end, LogRecords: logs})
		return
	}
	if s.Duration = elapsed; !end.IsZero() {
		s.Duration = end.Sub(s.StartTime)
	}
	recording := s.Context.SamplingState.Sampled()
	if recording {
		s.Tags = shared.appendLast(s.Tags, tags)
		s.Logs = append(s.Logs, logs...)
	}
	s.Unlock()
	e.Finished.Add(1)
	if recording {
		e.Reporter.Report(j)
	}
}

// Extract does what [jaeger.Tracer.Extract] does with the format [opentracing.HTTPHeaders], without boxing the context.
func (e *Engine) Extract(carrier any) (jaeger.SpanContext, error) {
	if !jaegerspan.LayoutMatches() {
		sc, err := e.Tracer.Extract(opentracing.HTTPHeaders, carrier)
		if err != nil {
			return jaeger.SpanContext{}, err
		}
		return sc.(jaeger.SpanContext), nil
	}
	sc, err := e.Propagator.Extract(carrier)
	jaegerspan.ContextFields(&sc).Remote = err == nil
	return sc, err
}

// ContextOf returns the context of j.
func ContextOf(j *jaeger.Span) jaeger.SpanContext {
	if !jaegerspan.LayoutMatches() {
		return j.SpanContext()
	}
	j.RLock()
	defer j.RUnlock()
	return *jaegerspan.Fields(j).Context.Jaeger()
}

// ContextOfNew is [ContextOf] without the lock, for a span that [Engine.Start] returned and no one else can reach yet.
func ContextOfNew(j *jaeger.Span) jaeger.SpanContext { return *jaegerspan.Fields(j).Context.Jaeger() }
