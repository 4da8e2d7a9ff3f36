package otelbridge_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
)

// starters start a span in each of the ways that a program has.
var starters = map[string]func(b *bridged, ctx context.Context, name string) (context.Context, func()){
	"otel": func(b *bridged, ctx context.Context, name string) (context.Context, func()) {
		ctx, s := b.tracer().Start(ctx, name)
		return ctx, func() { s.End() }
	},
	"hooked": func(b *bridged, ctx context.Context, name string) (context.Context, func()) {
		s, ctx := opentracing.StartSpanFromContextWithTracer(ctx, b.OpenTracing(), name)
		return ctx, s.Finish
	},
	"plain": func(b *bridged, ctx context.Context, name string) (context.Context, func()) {
		s, ctx := opentracing.StartSpanFromContextWithTracer(ctx, b.below, name)
		return ctx, s.Finish
	},
}

// TestEveryNestingKeepsParents starts spans below each other in all orders of three APIs to depth four, inside a request and outside.
func TestEveryNestingKeepsParents(t *testing.T) {
	const depth = 4
	var kinds []string
	for k := range starters {
		kinds = append(kinds, k)
	}
	n := 1
	for range depth {
		n *= len(kinds)
	}
	for i := range n {
		var order []string
		for x := i; len(order) < depth; x /= len(kinds) {
			order = append(order, kinds[x%len(kinds)])
		}
		for i := range 4 {
			inRequest, slow := i%2 == 1, i/2 == 1
			t.Run(fmt.Sprintf("%v, in a request %t, without the fast path %t", order, inRequest, slow), func(t *testing.T) {
				t.Parallel()
				cfg := tracerinit.Config{}
				if slow {
					cfg.Metrics = jaeger.NewNullMetrics()
				}
				b := newBridgeOf(t, cfg)
				nest := func(ctx context.Context) {
					for at, kind := range order {
						var end func()
						ctx, end = starters[kind](b, ctx, fmt.Sprint(at))
						defer end()
					}
				}
				if !inRequest {
					nest(t.Context())
					b.wantRoot(t, "0")
				} else {
					h := httpmw.Middleware(b.OpenTracing())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						nest(r.Context())
					}))
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
					b.wantChild(t, "0", "GET")
				}
				for at := 1; at < depth; at++ {
					b.wantChild(t, fmt.Sprint(at), fmt.Sprint(at-1))
				}
			})
		}
	}
}

func TestBothAPIsSeeTheActiveSpan(t *testing.T) {
	b := newBridge(t)
	for _, kind := range []string{"otel", "hooked"} {
		t.Run(kind, func(t *testing.T) {
			ctx, end := starters[kind](b, t.Context(), kind)
			otel, ot := trace.SpanFromContext(ctx), opentracing.SpanFromContext(ctx)
			if any(otel) != any(ot) {
				t.Errorf("OpenTelemetry sees %v, OpenTracing sees %v", otel, ot)
			}
			sc := trace.SpanContextFromContext(ctx)
			if fmt.Sprint(ot.Context()) != fmt.Sprintf("%s:%s:0000000000000000:1", sc.TraceID(), sc.SpanID()) || !sc.IsSampled() || sc.IsRemote() {
				t.Errorf("ids %v, want those of %v", sc, ot.Context())
			}
			if !otel.IsRecording() {
				t.Error("does not record")
			}
			end()
			if otel.IsRecording() || !trace.SpanContextFromContext(ctx).Equal(sc) {
				t.Error("after its end it records, or has lost its ids")
			}
		})
	}
}
