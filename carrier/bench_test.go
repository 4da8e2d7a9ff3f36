package carrier_test

import (
	"net/http"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// typicalHeaders are those of a browser's request behind a proxy, with the given pairs added.
func typicalHeaders(pairs ...string) http.Header {
	h := http.Header{}
	for _, k := range []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Length",
		"Content-Type", "Cookie", "If-None-Match", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id",
	} {
		h.Set(k, "some value of usual length")
	}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

const (
	someTrace       = "0af7651916cd43dd8448eb211c80319c"
	someSpan        = "b7ad6b7169203331"
	someTraceparent = "00-" + someTrace + "-" + someSpan + "-01"
	someUberTraceID = someTrace + ":" + someSpan + ":0:1"
	someB3          = someTrace + "-" + someSpan + "-1"
)

// requests are what the budgets are stated for.
var requests = []struct {
	name   string
	pairs  []string
	allocs float64 // of Tracer.Extract
}{
	{"none", nil, 0},
	{"w3c", []string{"traceparent", someTraceparent}, 2},
	{"jaeger", []string{"uber-trace-id", someUberTraceID}, 2},
	{"jaeger-escaped", []string{"uber-trace-id", someTrace + "%3A" + someSpan + "%3a0%3A1"}, 2},
	{"b3", []string{"b3", someB3}, 4}, // the answer in B3 costs two
	{"b3multi", []string{"x-b3-traceid", someTrace, "x-b3-spanid", someSpan, "x-b3-sampled", "1"}, 4},
	{"all", []string{"traceparent", someTraceparent, "uber-trace-id", someUberTraceID, "b3", someB3}, 2},
	{"tracestate", []string{"traceparent", someTraceparent, "tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}, 5},
	{"uberctx", []string{"uber-trace-id", someUberTraceID, "uberctx-user", "42", "uberctx-tenant", "acme", "uberctx-plan", "gold"}, 5},
	{"baggage", []string{"traceparent", someTraceparent, "baggage", "user=42,tenant=acme,plan=gold"}, 5},
}

func BenchmarkExtract(b *testing.B) {
	ours, _ := newTracer(b, carrier.Config{})
	stock, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(b))
	defer closer.Close()
	for _, r := range requests {
		h := opentracing.HTTPHeadersCarrier(typicalHeaders(r.pairs...))
		for _, side := range []struct {
			name   string
			tracer opentracing.Tracer
		}{{"carrier", ours}, {"jaeger-client", stock}} {
			b.Run(r.name+"/"+side.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = side.tracer.Extract(opentracing.HTTPHeaders, h)
				}
			})
		}
	}
}

func BenchmarkInject(b *testing.B) {
	ours, _ := newTracer(b, carrier.Config{})
	stock, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(b))
	defer closer.Close()
	for _, r := range requests[1:] {
		sc, err := ours.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(typicalHeaders(r.pairs...)))
		if err != nil {
			b.Fatal(err)
		}
		for _, side := range []struct {
			name   string
			tracer opentracing.Tracer
		}{{"carrier", ours}, {"jaeger-client", stock}} {
			b.Run(r.name+"/"+side.name, func(b *testing.B) {
				b.ReportAllocs()
				h := opentracing.HTTPHeadersCarrier(typicalHeaders())
				for b.Loop() {
					_ = side.tracer.Inject(sc, opentracing.HTTPHeaders, h)
				}
			})
		}
	}
}
