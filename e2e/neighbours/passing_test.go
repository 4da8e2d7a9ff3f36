package neighbours_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
)

// Services of ours that make no spans still do not cut the traces of their neighbours in two.
func TestServicesWithoutSpansPassTracesOn(t *testing.T) {
	for name, middle := range map[string]func(*testing.T) ours{
		"disabled": func(t *testing.T) ours { return quiet(t, tracerinit.Config{Disabled: true}) },
		"shut down": func(t *testing.T) ours {
			o := quiet(t, tracerinit.Config{})
			if err := o.tracer.Close(); err != nil {
				t.Fatal(err)
			}
			return o
		},
	} {
		for wireName, w := range wires {
			t.Run(name+" over "+wireName, func(t *testing.T) {
				var seen []string
				first, last := theyAlways(t), theyAlways(t)
				between := middle(t)
				hops := []*hop{
					{party: first, work: func(ctx context.Context) context.Context { return first.setBaggage(ctx, "user", "u1") }},
					{party: between},
					{party: last, work: func(ctx context.Context) context.Context {
						seen = append(seen, last.baggage(ctx, "user"), trace.SpanContextFromContext(ctx).TraceState().String())
						return ctx
					}},
				}
				run(t, connect(t, w, map[string]string{"traceparent": "00-" + traceID + "-" + spanID + "-01", "tracestate": state}, hops...))
				if got := joined(t, spanID, hops[0], hops[2]); got != traceID {
					t.Errorf("trace %s, want %s", got, traceID)
				}
				if spans := between.recorded(); len(spans) != 0 {
					t.Errorf("recorded %+v", spans)
				}
				if want := []string{"u1", state}; !slices.Equal(seen, want) {
					t.Errorf("baggage and tracestate at the end: %q, want %q", seen, want)
				}
			})
		}
	}
}

func quiet(t *testing.T, cfg tracerinit.Config) ours {
	t.Helper()
	o := ours{reporter: jaeger.NewInMemoryReporter()}
	cfg.Service, cfg.Local, cfg.Reporters = "quiet", true, []jaeger.Reporter{o.reporter}
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	var err error
	if o.tracer, err = tracerinit.Start(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.tracer.Close() })
	return o
}

// TestAServiceTracedTwiceHasOneSpanOfEachKind puts the kit on a service by hand and by a tool: there is one span of each kind all the same.
func TestAServiceTracedTwiceHasOneSpanOfEachKind(t *testing.T) {
	for wireName, w := range wires {
		t.Run(wireName, func(t *testing.T) {
			we, _ := weAlways(t).(ours)
			hops := []*hop{{party: theyAlways(t)}, {party: twice{we}}, {party: theyAlways(t)}}
			run(t, connect(t, w, nil, hops...))
			joined(t, "", hops...)
		})
	}
}

type twice struct{ ours }

func (o twice) handler(h http.Handler) http.Handler {
	return o.ours.handler(httpmw.Middleware(o.tracer)(h))
}

func (o twice) transport(rt http.RoundTripper) http.RoundTripper {
	return o.ours.transport(httpmw.Transport(o.tracer, rt))
}

func (o twice) serverOptions() []grpc.ServerOption {
	return append(o.ours.serverOptions(), grpcmw.ServerOptions(o.tracer)...)
}

func (o twice) dialOptions() []grpc.DialOption {
	return append(o.ours.dialOptions(), grpcmw.DialOptions(o.tracer)...)
}
