package otelbridge_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/tracerinit"
)

// place is a context and what is promised of it.
type place struct {
	context.Context
	active string // the name of the span that was put in last
	ofOTel bool   // by OpenTelemetry's ContextWithSpan, which OpenTracing cannot see
}

// TestRandomNestingKeepsParents starts spans in contexts that either API has put any other span into, and ends them in any order.
func TestRandomNestingKeepsParents(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, b := rand.New(rand.NewPCG(seed, 2)), newBridgeOf(t, tracerinit.Config{})
			places, parents := []place{{Context: t.Context()}}, map[string]string{}
			var started []place
			var ends []func()
			for i := range 30 {
				from, name := places[r.IntN(len(places))], fmt.Sprint(i)
				kind := []string{"otel", "hooked"}[r.IntN(2)]
				if from.ofOTel {
					kind = "otel"
				}
				switch {
				case len(started) == 0 || r.IntN(2) == 0:
					ctx, end := starters[kind](b, from, name)
					parents[name], ends = from.active, append(ends, end)
					started = append(started, place{ctx, name, false})
					places = append(places, started[len(started)-1])
				case r.IntN(2) == 0:
					other := started[r.IntN(len(started))]
					ctx := opentracing.ContextWithSpan(from, opentracing.SpanFromContext(other))
					places = append(places, place{ctx, other.active, false})
				default:
					other := started[r.IntN(len(started))]
					ctx := trace.ContextWithSpan(from, trace.SpanFromContext(other))
					places = append(places, place{ctx, other.active, true})
				}
			}
			r.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
			for _, end := range ends {
				end()
			}
			for name, parent := range parents {
				if parent == "" {
					b.wantRoot(t, name)
				} else {
					b.wantChild(t, name, parent)
				}
			}
		})
	}
}
