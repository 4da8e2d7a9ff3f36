package spantest

import (
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
)

// patience is how long open spans are waited for.
const patience = 5 * time.Second

// Tracer is an [opentracing.Tracer] for one test. It may be used concurrently. Its span contexts are of type
// [mocktracer.MockSpanContext], and it injects and extracts the headers of [mocktracer.MockTracer]. Use [New]: the zero
// value is not a tracer.
type Tracer struct {
	mock *mocktracer.MockTracer

	mu     sync.Mutex
	spans  []*span
	open   int
	closed chan struct{} // closed and replaced whenever a span finishes
	faults []string
}

// New returns a [Tracer] that checks, when t ends, that every span was finished exactly once and not used after that.
// It reports each mistake with t.Error, with the file and line of the code that made it.
func New(t testing.TB) *Tracer {
	tracer := &Tracer{mock: mocktracer.New(), closed: make(chan struct{})}
	t.Cleanup(func() {
		t.Helper()
		for _, fault := range tracer.check() {
			t.Error(fault)
		}
	})
	return tracer
}

// Finished returns the finished spans in the order in which they finished. It returns once no span is open, or after
// five seconds even if some are. The slice is the caller's; the spans are shared.
func (t *Tracer) Finished() []*mocktracer.MockSpan {
	t.wait()
	return t.mock.FinishedSpans()
}

// StartSpan implements [opentracing.Tracer]. References to contexts of other tracers are ignored.
func (t *Tracer) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	var o opentracing.StartSpanOptions
	for _, opt := range opts {
		opt.Apply(&o)
	}
	s := &span{tracer: t, started: caller()}
	s.mock = t.mock.StartSpan(name, ownOptions(o)...).(*mocktracer.MockSpan)
	for k, v := range o.Tags {
		s.mock.SetTag(k, v)
	}
	t.mu.Lock()
	t.spans = append(t.spans, s)
	t.open++
	t.mu.Unlock()
	return s
}

// ownOptions returns the options that mocktracer can take. It panics on references to contexts of other tracers, and it
// writes to the map of tags, which belongs to the caller.
func ownOptions(o opentracing.StartSpanOptions) []opentracing.StartSpanOption {
	opts := []opentracing.StartSpanOption{opentracing.StartTime(o.StartTime)}
	for _, ref := range o.References {
		if _, ok := ref.ReferencedContext.(mocktracer.MockSpanContext); ok {
			opts = append(opts, ref)
		}
	}
	if p, ok := o.Tags[string(ext.SamplingPriority)]; ok {
		opts = append(opts, opentracing.Tag{Key: string(ext.SamplingPriority), Value: p})
	}
	return opts
}

// Inject implements [opentracing.Tracer].
func (t *Tracer) Inject(sc opentracing.SpanContext, format, carrier any) error {
	return t.mock.Inject(sc, format, carrier)
}

// Extract implements [opentracing.Tracer].
func (t *Tracer) Extract(format, carrier any) (opentracing.SpanContext, error) {
	return t.mock.Extract(format, carrier)
}

func (t *Tracer) wait() {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		t.mu.Lock()
		open, closed := t.open, t.closed
		t.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-closed:
		case <-deadline.C:
			return
		}
	}
}

func (t *Tracer) check() []string {
	t.wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	faults := t.faults
	for _, s := range t.spans {
		if s.finishes == 0 {
			faults = append(faults, s.describe()+" was never finished")
		}
	}
	return faults
}
