//go:build !race

package prommw

import (
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
)

// wrapped is a span as a bridge to another tracing API makes them.
type wrapped struct{ opentracing.Span }

func (w wrapped) Unwrap() opentracing.Span { return w.Span }

func TestAllocsOfLookingAtTheSampling(t *testing.T) {
	for name, want := range map[string]bool{"sampled": true, "unsampled": false} {
		t.Run(name, func(t *testing.T) {
			tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(want), jaeger.NewNullReporter(),
				testspans.Finished(t))
			defer closer.Close()
			span := tracer.StartSpan("op")
			defer span.Finish()
			for kind, span := range map[string]opentracing.Span{"a span": span, "a wrapped span": wrapped{span}} {
				t.Run(kind, func(t *testing.T) {
					if got := sampled(span); got != want {
						t.Errorf("%s is sampled: %t", kind, got)
					}
					if n := testing.AllocsPerRun(100, func() { sampled(span) }); n > 0 {
						t.Errorf("%v allocations for %s", n, kind)
					}
				})
			}
		})
	}
}
