package tracerinit_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

func injected(t testing.TB, tracer opentracing.Tracer, sc opentracing.SpanContext) map[string]string {
	t.Helper()
	h := http.Header{}
	if err := tracer.Inject(sc, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for k := range h {
		out[k] = h.Get(k)
	}
	return out
}

// passingTracers are the tracers that record nothing and pass contexts on.
func passingTracers(t *testing.T) map[string]*tracerinit.Tracer {
	out := map[string]*tracerinit.Tracer{
		"disabled in code":   start(t, tracerinit.Config{Disabled: true}),
		"disabled by JAEGER": start(t, tracerinit.Config{LookupEnv: env("JAEGER_DISABLED=true")}),
		"disabled by OTEL":   start(t, tracerinit.Config{LookupEnv: env("OTEL_SDK_DISABLED=true")}),
		"shut down":          start(t, tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}}),
		"disabled, remote":   start(t, tracerinit.Config{Disabled: true, Sampler: tracerinit.Remote("http://127.0.0.1:1", tracerinit.RemoteOptions{})}),
	}
	if err := out["shut down"].Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPassingTracersSendTheIncomingContextOn(t *testing.T) {
	for name, tracer := range passingTracers(t) {
		in := incoming(t, tracer, "traceparent", traceparent, "tracestate", "a=b", "baggage", "user=alice")
		for kind, option := range map[string]opentracing.StartSpanOption{
			"child of": opentracing.ChildOf(in), "follows from": opentracing.FollowsFrom(in),
			"rpc server": ext.RPCServerOption(in), "kit": &knownOption{in},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				parent := tracer.StartSpan("x", opentracing.Tag{Key: "a", Value: 1}, option)
				child := tracer.StartSpan("y", opentracing.ChildOf(parent.Context()))
				child.SetBaggageItem("tenant", "t1")
				want := map[string]string{
					"Traceparent": traceparent, "Tracestate": "a=b", "Uber-Trace-Id": callerTrace + ":" + callerSpan +
						":0000000000000000:1",
					"Baggage": "tenant=t1,user=alice", "Uberctx-Tenant": "t1", "Uberctx-User": "alice",
				}
				got := injected(t, tracer, child.Context())
				if got["Baggage"] == "user=alice,tenant=t1" {
					got["Baggage"] = want["Baggage"]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %s: (-want +got):\n%s", name, kind, diff)
				}
				if got := child.BaggageItem("user") + parent.BaggageItem("tenant"); got != "alice" {
					t.Errorf("%s, %s: baggage %q", name, kind, got)
				}
				parent.SetTag("a", "b").SetOperationName("z").LogKV("a", "b")
				child.Finish()
				parent.Finish()
			})
		}
		if s := tracer.Stats(); name != "shut down" && (s.Started != 0 || s.Reported != 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestPassingTracersInventNothing(t *testing.T) {
	for name, tracer := range passingTracers(t) {
		root := testspans.Start(t, tracer, "root", opentracing.Tags{"a": 1})
		root.SetBaggageItem("k", "v")
		child := testspans.Start(t, tracer, "child", opentracing.ChildOf(root.Context()))
		if got := injected(t, tracer, child.Context()); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
		if _, ok := child.Context().(jaeger.SpanContext); ok {
			t.Errorf("%s: a context without ids looks like one of jaeger's, which panics when asked", name)
		}
		if child.Tracer() != opentracing.Tracer(tracer) {
			t.Errorf("%s: the span is another tracer's", name)
		}
		var buf bytes.Buffer
		if err := tracer.Inject(child.Context(), opentracing.Binary, &buf); err != nil || buf.Len() > 0 {
			t.Errorf("%s: binary: %v, %d bytes", name, err, buf.Len())
		}
	}
}

func TestPassingTracersKeepBaggageWithoutATrace(t *testing.T) {
	for name, tracer := range passingTracers(t) {
		span := testspans.Start(t, tracer, "x", opentracing.ChildOf(incoming(t, tracer, "baggage", "user=alice")))
		got := injected(t, tracer, span.Context())
		if got["Baggage"] != "user=alice" || got["Traceparent"] != "" || got["Uber-Trace-Id"] != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
}
