package bench

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/spanloom/spanloom/tracerinit"
)

// mode is the sampling situation of a request.
type mode struct {
	name    string
	sampled bool
	parent  bool // a remote parent made that decision
}

var modes = []mode{
	{"unsampled", false, false},
	{"sampled", true, false},
	{"parent-sampled", true, true},
	{"parent-unsampled", false, true},
}

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentID = "00f067aa0ba902b7"
)

// w3cHeaders and jaegerHeaders are the remote parent of m, in the one format that each peer reads.
func w3cHeaders(m mode) map[string]string {
	if !m.parent {
		return nil
	}
	return map[string]string{"traceparent": "00-" + traceID + "-" + parentID + map[bool]string{true: "-01", false: "-00"}[m.sampled]}
}

func jaegerHeaders(m mode) map[string]string {
	if !m.parent {
		return nil
	}
	return map[string]string{"uber-trace-id": traceID + ":" + parentID + ":0" + map[bool]string{true: ":1", false: ":0"}[m.sampled]}
}

func ddHeaders(m mode) map[string]string {
	if !m.parent {
		return nil
	}
	return map[string]string{
		"x-datadog-trace-id": "11803532876627986230", "x-datadog-parent-id": "67667974448284343",
		"x-datadog-sampling-priority": map[bool]string{true: "1", false: "0"}[m.sampled],
	}
}

// count is the exporter of every engine: it counts spans and drops them.
type count struct{ spans atomic.Int64 }

func (c *count) Report(*jaeger.Span)                             { c.spans.Add(1) }
func (c *count) Close()                                          {}
func (c *count) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (c *count) OnEnd(s sdktrace.ReadOnlySpan)                   { c.spans.Add(1) }
func (c *count) Shutdown(context.Context) error                  { return nil }
func (c *count) ForceFlush(context.Context) error                { return nil }
func (c *count) RoundTrip(r *http.Request) (*http.Response, error) {
	if n, err := strconv.Atoi(r.Header.Get("X-Datadog-Trace-Count")); err == nil {
		c.spans.Add(int64(n))
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(http.NoBody), Header: http.Header{}, Request: r}, nil
}

// spanloomTracer is the tracer that the README starts, with the counter for an exporter.
func spanloomTracer(tb testing.TB, sampled bool) (opentracing.Tracer, *count) {
	tb.Helper()
	c := new(count)
	sampler := tracerinit.Never()
	if sampled {
		sampler = tracerinit.Always()
	}
	t, err := tracerinit.Start(tracerinit.Config{
		Service: "bench", Local: true, Sampler: sampler, Reporters: []jaeger.Reporter{c},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = t.Close() })
	return t, c
}

// stockTracer is jaeger-client-go as it comes.
func stockTracer(tb testing.TB, sampled bool) (opentracing.Tracer, *count) {
	c := new(count)
	t, closer := jaeger.NewTracer("bench", jaeger.NewConstSampler(sampled), c)
	tb.Cleanup(func() { _ = closer.Close() })
	return t, c
}

func otelProvider(tb testing.TB, sampled bool) (*sdktrace.TracerProvider, *count) {
	c := new(count)
	sampler := sdktrace.NeverSample()
	if sampled {
		sampler = sdktrace.AlwaysSample()
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sampler)), sdktrace.WithSpanProcessor(c))
	tb.Cleanup(func() { _ = tp.Shutdown(context.Background()) })
	return tp, c
}

func otelPropagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// startDatadog starts dd-trace-go, whose tracer is global; its encoded payloads are counted and dropped. stop must
// be called before the count is read.
func startDatadog(tb testing.TB, sampled bool) (c *count, stop func()) {
	c = new(count)
	for k, v := range map[string]string{
		"DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false",
		"DD_TRACE_STARTUP_LOGS": "false", "DD_RUNTIME_METRICS_ENABLED": "false",
	} {
		old, had := os.LookupEnv(k)
		os.Setenv(k, v)
		tb.Cleanup(func() {
			if os.Unsetenv(k); had {
				os.Setenv(k, old)
			}
		})
	}
	rate := 0.0
	if sampled {
		rate = 1
	}
	err := tracer.Start(tracer.WithHTTPClient(&http.Client{Transport: c}), tracer.WithLogger(silent{}),
		tracer.WithSamplerRate(rate), tracer.WithService("bench"))
	if err != nil {
		tb.Fatal(err)
	}
	return c, tracer.Stop
}

type silent struct{}

func (silent) Log(string) {}

// measure runs f b.N times and adds the CPU time of the process, background work and garbage collection included.
func measure(b *testing.B, f func()) {
	b.Helper()
	for range 100 {
		f()
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for range b.N {
		f()
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
