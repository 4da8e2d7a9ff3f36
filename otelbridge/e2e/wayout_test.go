package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/baggage"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
)

// service is a program at one stage of its way to OpenTelemetry.
type service struct {
	middleware func(http.Handler) http.Handler
	transport  func(http.RoundTripper) http.RoundTripper
	work       func(ctx context.Context, do func(ctx context.Context)) // in a span of the application
	tenant     func(ctx context.Context) string                        // by the API that the application speaks
	setTenant  func(ctx context.Context, tenant string) context.Context
}

// stages are those of docs/migrating.md, in their order.
var stages = []struct {
	name  string
	start func(t *testing.T, c *collector) (s service, flush func())
}{
	{"kit alone", startKit},
	{"libraries", func(t *testing.T, c *collector) (service, func()) {
		tr, flush := c.tracingOfBridge(t)
		s := openTracingService(tr.OpenTracing)
		s.transport = func(base http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(base, otelhttpOptions(tr)...)
		}
		return s, flush
	}},
	{"packages", func(t *testing.T, c *collector) (service, func()) {
		tr, flush := c.tracingOfBridge(t)
		s := openTelemetryService(tr)
		s.middleware = httpmw.Middleware(tr.OpenTracing)
		return s, flush
	}},
	{"SDK", func(t *testing.T, c *collector) (service, func()) {
		tr, flush := c.tracingOfSDK(t)
		return openTelemetryService(tr), flush
	}},
}

func startKit(t *testing.T, c *collector) (service, func()) {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, LookupEnv: func(string) (string, bool) { return "", false },
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(c.URL)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return openTracingService(tracer), func() { tracer.Close() }
}

func openTracingService(tracer opentracing.Tracer) service {
	return service{
		middleware: httpmw.Middleware(tracer),
		transport:  func(base http.RoundTripper) http.RoundTripper { return httpmw.Transport(tracer, base) },
		work: func(ctx context.Context, do func(ctx context.Context)) {
			span, ctx := opentracing.StartSpanFromContextWithTracer(ctx, tracer, "work")
			defer span.Finish()
			do(ctx)
		},
		tenant: func(ctx context.Context) string { return opentracing.SpanFromContext(ctx).BaggageItem("tenant") },
		setTenant: func(ctx context.Context, tenant string) context.Context {
			opentracing.SpanFromContext(ctx).SetBaggageItem("tenant", tenant)
			return ctx
		},
	}
}

func openTelemetryService(tr tracing) service {
	return service{
		middleware: otelhttp.NewMiddleware("", otelhttpOptions(tr)...),
		transport: func(base http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(base, otelhttpOptions(tr)...)
		},
		work: func(ctx context.Context, do func(ctx context.Context)) {
			ctx, span := tr.Tracer(application).Start(ctx, "work")
			defer span.End()
			do(ctx)
		},
		tenant: func(ctx context.Context) string { return baggage.FromContext(ctx).Member("tenant").Value() },
		setTenant: func(ctx context.Context, tenant string) context.Context {
			member, err := baggage.NewMemberRaw("tenant", tenant)
			if err != nil {
				panic(err)
			}
			bag, _ := baggage.FromContext(ctx).SetMember(member)
			return baggage.ContextWithBaggage(ctx, bag)
		},
	}
}

// TestTheWayOutKeepsTracesWhole has a service at each stage call one at each stage, in one trace and with its baggage.
func TestTheWayOutKeepsTracesWhole(t *testing.T) {
	for _, caller := range stages {
		for _, callee := range stages {
			t.Run(caller.name+" calls "+callee.name, func(t *testing.T) {
				c := newCollector(t)
				a, flushA := caller.start(t, c)
				b, flushB := callee.start(t, c)
				callThrough(t, a, b)
				flushA()
				flushB()
				got := strings.ReplaceAll(c.tree(short), "HTTP GET", "GET")
				want := "GET (server)\n  work (internal)\n    GET (client)\n      GET (server)\n        work (internal)\n"
				if got != want {
					t.Errorf("the spans are\n%swant\n%s", got, want)
				}
			})
		}
	}
}

// callThrough sends a request to a, which calls b with baggage.
func callThrough(t *testing.T, a, b service) {
	t.Helper()
	tenant := ""
	inner := httptest.NewServer(b.middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.work(r.Context(), func(ctx context.Context) { tenant = b.tenant(ctx) })
		_, _ = w.Write([]byte("hello"))
	})))
	defer inner.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: a.transport(base)}
	outer := a.middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		a.work(r.Context(), func(ctx context.Context) { get(a.setTenant(ctx, "seven"), t, client, inner.URL) })
	}))
	outer.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	inner.Close()
	if tenant != "seven" {
		t.Errorf("the callee sees the tenant %q", tenant)
	}
}
