package tracerinit

import (
	"context"
	"sync"

	"github.com/uber/jaeger-client-go"
)

// decideOnce lets a [jaeger.Sampler] decide about each new trace when it begins, as jaeger-client-go does itself.
type decideOnce struct{ jaeger.Sampler }

// OnCreateSpan implements [jaeger.SamplerV2].
func (s decideOnce) OnCreateSpan(span *jaeger.Span) jaeger.SamplingDecision {
	return s.OnSetOperationName(span, span.OperationName())
}

// OnSetOperationName implements [jaeger.SamplerV2].
func (s decideOnce) OnSetOperationName(span *jaeger.Span, name string) jaeger.SamplingDecision {
	yes, tags := s.IsSampled(span.SpanContext().TraceID(), name)
	return jaeger.SamplingDecision{Sample: yes, Tags: tags}
}

// OnSetTag implements [jaeger.SamplerV2].
func (decideOnce) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// OnFinishSpan implements [jaeger.SamplerV2].
func (decideOnce) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// customSampler is a sampler of the user's in the two interfaces that jaeger-client-go needs. A method of the user's
// that panics does not sample: no request may fail for its trace.
type customSampler struct {
	user  jaeger.SamplerV2
	done  chan struct{} // closed when Close has returned
	close sync.Once
	probe *jaeger.Tracer // starts spans that nobody sees, to learn a decision where there is no span
}

func newCustomSampler(s jaeger.SamplerV2) *customSampler {
	c := &customSampler{user: s, done: make(chan struct{})}
	tracer, _ := jaeger.NewTracer("", noClose{c}, jaeger.NewNullReporter())
	c.probe = tracer.(*jaeger.Tracer)
	return c
}

// OnCreateSpan implements [jaeger.SamplerV2].
func (c *customSampler) OnCreateSpan(span *jaeger.Span) (d jaeger.SamplingDecision) {
	defer dropOnPanic(&d)
	return c.user.OnCreateSpan(span)
}

// OnSetOperationName implements [jaeger.SamplerV2].
func (c *customSampler) OnSetOperationName(span *jaeger.Span, name string) (d jaeger.SamplingDecision) {
	defer dropOnPanic(&d)
	return c.user.OnSetOperationName(span, name)
}

// OnSetTag implements [jaeger.SamplerV2].
func (c *customSampler) OnSetTag(span *jaeger.Span, key string, value any) (d jaeger.SamplingDecision) {
	defer dropOnPanic(&d)
	return c.user.OnSetTag(span, key, value)
}

// OnFinishSpan implements [jaeger.SamplerV2].
func (c *customSampler) OnFinishSpan(span *jaeger.Span) (d jaeger.SamplingDecision) {
	defer dropOnPanic(&d)
	return c.user.OnFinishSpan(span)
}

func dropOnPanic(d *jaeger.SamplingDecision) {
	if recover() != nil {
		*d = jaeger.SamplingDecision{}
	}
}

// Close implements [jaeger.SamplerV2].
func (c *customSampler) Close() { c.user.Close() }

// IsSampled implements [jaeger.Sampler]. It serves contexts that came without a decision, and spans after Shutdown.
func (c *customSampler) IsSampled(_ jaeger.TraceID, operation string) (bool, []jaeger.Tag) {
	span := c.probe.StartSpan(operation).(*jaeger.Span)
	return span.SpanContext().IsSampled(), nil
}

// Equal implements [jaeger.Sampler].
func (c *customSampler) Equal(other jaeger.Sampler) bool { return other == jaeger.Sampler(c) }

// noClose keeps a sampler open when a tracer that shares it is closed.
type noClose struct{ *customSampler }

func (noClose) Close() {}

// shutdown closes the sampler once, and waits for it until ctx ends.
func (c *customSampler) shutdown(ctx context.Context) error {
	c.close.Do(func() {
		go func() {
			defer close(c.done)
			defer func() { _ = recover() }()
			c.Close()
		}()
	})
	return await(ctx, c.done, "the custom sampler did not close in time")
}
