package tracerinit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// Tracer is an [opentracing.Tracer] whose spans are those of jaeger-client-go, and an [io.Closer]. Make one with
// [Start]. All its methods may be called from any goroutine.
type Tracer struct {
	tracer *jaeger.Tracer
	engineHolder
	propagator *carrier.Propagator
	sampler    jaeger.Sampler // nil if disabled
	disabled   atomic.Bool    // disabled or shut down
	traceLocks [64]paddedMutex

	counts   counts
	fan      *fanout
	remote   *remoteSampler // nil unless the sampler is remote
	custom   *customSampler // nil unless the sampler is custom
	metrics  *metricsFeed   // nil unless the program gave metrics
	settings []Setting
	timeout  time.Duration // of Close
	origin   string        // where Start was called
	closed   atomic.Bool
	stopped  sync.Once // the fanout's goroutine
}

var _ opentracing.Tracer = (*Tracer)(nil)

// engineHolder holds what the middlewares of this module start and finish spans with, if there is such a thing.
type engineHolder = engine.Holder

// paddedMutex has a cache line of its own.
type paddedMutex struct {
	sync.Mutex
	_ [56]byte
}

// StartSpan starts a span. Besides what jaeger-client-go does, several goroutines may call it at once with one
// extracted parent, it takes a sampling.priority of any numeric type, and it keeps the tags of the sampler however
// many tags the span starts with. On a tracer that is disabled or shut down the span records nothing, and its context
// is its parent's.
func (t *Tracer) StartSpan(operationName string, options ...opentracing.StartSpanOption) opentracing.Span {
	if t.disabled.Load() {
		return t.startNoop(operationName, options)
	}
	var args startArgs
	for _, o := range options {
		args.option(o)
	}
	if s := t.startFast(operationName, &args); s != nil {
		return s
	}
	switch isRoot := !args.parent.IsValid(); {
	case args.unknownOption || args.priority || isRoot && args.tags > maxStartTags:
		return t.startSlow(operationName, options)
	case isRoot:
		return t.tracer.StartSpan(operationName, options...)
	}
	defer t.lock(args.parent.TraceID().Low).Unlock()
	return t.tracer.StartSpan(operationName, options...)
}

// lock serialises the starts of spans in one trace: jaeger-client-go writes to the sampling state that the children
// of one extracted context share, without a lock.
func (t *Tracer) lock(trace uint64) *paddedMutex {
	s := &t.traceLocks[trace*0x9e3779b97f4a7c15>>58] // the top 6 bits, well mixed
	s.Lock()
	return s
}

// Extract returns the context that a carrier holds; see [carrier.Propagator].
func (t *Tracer) Extract(format, carrier any) (opentracing.SpanContext, error) {
	if t.Engine() == nil || format != opentracing.HTTPHeaders {
		return t.tracer.Extract(format, carrier)
	}
	sc, err := t.Engine().Extract(carrier) // without looking up the format
	if err != nil {
		return nil, err
	}
	return sc, nil
}

// Inject writes a context of this package or jaeger-client-go into a carrier; see [carrier.Propagator]. The context of
// a span that recorded nothing and had no parent writes nothing.
func (t *Tracer) Inject(sc opentracing.SpanContext, format, carrier any) error {
	if _, ok := sc.(emptyContext); ok {
		return nil
	}
	return t.tracer.Inject(sc, format, carrier)
}

// Propagator returns what Extract and Inject use.
func (t *Tracer) Propagator() *carrier.Propagator { return t.propagator }
