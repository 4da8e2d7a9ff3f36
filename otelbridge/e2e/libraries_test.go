package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/XSAM/otelsql"
	"github.com/alicebob/miniredis/v2"
	"github.com/opentracing/opentracing-go"
	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	_ "modernc.org/sqlite" // the driver

	"github.com/spanloom/spanloom/httpmw"
)

// wantOneTrace checks that all spans that have arrived belong to one trace and have parents in it, but for one root.
func (c *collector) wantOneTrace(t *testing.T, names ...string) {
	t.Helper()
	spans := c.spans()
	ids := map[string]bool{}
	for _, s := range c.all() {
		ids[string(s.SpanId)] = true
	}
	roots, traces := 0, map[string]bool{}
	for _, s := range c.all() {
		traces[string(s.TraceId)] = true
		if len(s.ParentSpanId) == 0 {
			roots++
		} else if !ids[string(s.ParentSpanId)] {
			t.Errorf("the parent of %q is missing", s.Name)
		}
	}
	if roots != 1 || len(traces) != 1 {
		t.Errorf("%d roots and %d traces, want one of each", roots, len(traces))
	}
	for _, name := range names {
		if spans[name].Span == nil {
			t.Errorf("no span %q", name)
		}
	}
}

func TestOtelsql(t *testing.T) {
	c := newCollector(t)
	b, flush := c.bridge(t)
	db, err := otelsql.Open("sqlite", ":memory:", otelsql.WithTracerProvider(b.TracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	span, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "order")
	var n int
	if err := db.QueryRowContext(ctx, "select 1").Scan(&n); err != nil {
		t.Error(err)
	}
	if _, err := db.ExecContext(ctx, "no sql"); err == nil {
		t.Error("no error")
	}
	span.Finish()
	flush()
	c.wantOneTrace(t, "order", "sql.conn.query", "sql.conn.exec")
	if s := c.spans()["sql.conn.exec"]; s.Status.GetCode() != 2 || len(s.Events) != 1 || s.Events[0].Name != "exception" {
		t.Errorf("the failure is not on the span: %v", s)
	}
}

func TestRedisotel(t *testing.T) {
	c := newCollector(t)
	b, flush := c.bridge(t)
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	defer client.Close()
	if err := redisotel.InstrumentTracing(client, redisotel.WithTracerProvider(b.TracerProvider())); err != nil {
		t.Fatal(err)
	}
	span, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "order")
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
	span.Finish()
	flush()
	order, set := c.spans()["order"], c.spans()["set"]
	if set.Span == nil || string(set.ParentSpanId) != string(order.SpanId) {
		t.Errorf("set is not a child of order: %v", set)
	}
}

func TestOtelhttpBothWaysRound(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
	c := newCollector(t)
	b, flush := c.bridge(t)
	otel := []otelhttp.Option{otelhttp.WithTracerProvider(b.TracerProvider()), otelhttp.WithPropagators(b.Propagator()),
		otelhttp.WithSpanNameFormatter(func(operation string, _ *http.Request) string { return operation })}
	inner := httptest.NewServer(httpmw.Middleware(b.OpenTracing())(otelhttp.NewHandler(hello, "otelhttp in httpmw", otel...)))
	defer inner.Close()
	outer := httptest.NewServer(otelhttp.NewHandler(httpmw.Middleware(b.OpenTracing())(hello), "httpmw in otelhttp", otel...))
	defer outer.Close()
	span, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "order")
	for i, url := range []string{inner.URL, outer.URL} {
		client := httpmw.Client(b.OpenTracing(), nil)
		if i == 1 {
			client = &http.Client{Transport: otelhttp.NewTransport(nil, otel...)}
		}
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(resp.Body); err != nil || body.String() != "hello" {
			t.Errorf("%v, body %q", err, &body)
		}
		resp.Body.Close()
	}
	span.Finish()
	inner.Close()
	outer.Close()
	flush()
	c.wantOneTrace(t, "order", "otelhttp in httpmw", "httpmw in otelhttp")
}
