package bench

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	ddhttp "github.com/DataDog/dd-trace-go/contrib/net/http/v2"
	"github.com/opentracing-contrib/go-stdlib/nethttp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/spanloom/spanloom/httpmw"
)

// httpClient is a way to trace a round trip. start returns what sends one request.
type httpClient struct {
	name  string
	start func(testing.TB, mode, http.RoundTripper) (send func(*http.Request), stop func(), c *count)
}

var httpClients = []httpClient{
	{"bare", func(tb testing.TB, _ mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		return sender(tb, base), nothing, nil
	}},
	{"floor", func(tb testing.TB, m mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		t, c := stockTracer(tb, m.sampled)
		return sender(tb, floorTransport{t, base}), nothing, c
	}},
	{"spanloom", func(tb testing.TB, m mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		t, c := spanloomTracer(tb, m.sampled)
		return sender(tb, httpmw.Transport(t, base)), nothing, c
	}},
	{"nethttp", func(tb testing.TB, m mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		t, c := stockTracer(tb, m.sampled)
		send := sender(tb, &nethttp.Transport{RoundTripper: base})
		return func(r *http.Request) {
			r, ht := nethttp.TraceRequest(t, r)
			send(r)
			ht.Finish()
		}, nothing, c
	}},
	{"otelhttp", func(tb testing.TB, m mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		tp, c := otelProvider(tb, m.sampled)
		rt := otelhttp.NewTransport(base, otelhttp.WithTracerProvider(tp), otelhttp.WithPropagators(otelPropagator()))
		return sender(tb, rt), nothing, c
	}},
	{"dd-trace-go", func(tb testing.TB, m mode, base http.RoundTripper) (func(*http.Request), func(), *count) {
		c, stop := startDatadog(tb, m.sampled)
		return sender(tb, ddhttp.WrapRoundTripper(base)), stop, c
	}},
}

// floorTransport is the floor of clients, which must inject, too.
type floorTransport struct {
	t    opentracing.Tracer
	base http.RoundTripper
}

func (f floorTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	span := f.t.StartSpan("GET", ext.SpanKindRPCClient)
	span.SetTag("component", "net/http")
	span.SetTag("http.method", r.Method)
	span.SetTag("http.url", "http://example.com"+r.URL.Path)
	span.SetTag("peer.hostname", r.URL.Host)
	span.SetTag("peer.port", uint16(80))
	out := r.WithContext(opentracing.ContextWithSpan(r.Context(), span))
	out.Header = maps.Clone(r.Header)
	_ = f.t.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out.Header))
	resp, err := f.base.RoundTrip(out)
	span.SetTag("http.status_code", uint16(200))
	span.SetTag("http.response_size", 2)
	span.Finish()
	return resp, err
}

// sender sends a request and reads the whole answer, as callers do.
func sender(tb testing.TB, rt http.RoundTripper) func(*http.Request) {
	return func(r *http.Request) {
		resp, err := rt.RoundTrip(r)
		if err != nil {
			tb.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// echo answers without a network and remembers the last headers.
type echo struct{ last http.Header }

type okBody struct{ done bool }

func (b *okBody) Read(p []byte) (int, error) {
	if b.done {
		return 0, io.EOF
	}
	b.done = true
	return copy(p, "ok"), io.EOF
}
func (*okBody) Close() error { return nil }

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	e.last = r.Header
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: 2,
		Header: http.Header{}, Body: &okBody{}, Request: r,
	}, nil
}

// outgoing is a request as clients make them: 5 headers, no trace in its context.
func outgoing() *http.Request {
	r := &http.Request{
		Method: http.MethodGet, URL: mustURL("http://example.com/users/42"), Host: "example.com",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
	}
	for _, k := range []string{"Accept", "Accept-Encoding", "Authorization", "User-Agent", "X-Request-Id"} {
		r.Header.Set(k, "value of "+k)
	}
	return r.WithContext(context.Background())
}

func BenchmarkHTTPClient(b *testing.B) {
	for _, m := range modes[:2] {
		for _, peer := range httpClients {
			b.Run(m.name+"/"+peer.name, func(b *testing.B) {
				send, stop, _ := peer.start(b, m, &echo{})
				defer stop()
				r := outgoing()
				measure(b, func() { send(r) })
			})
		}
	}
}

func TestHTTPClientsMakeSpansAndHeaders(t *testing.T) {
	for _, m := range modes[:2] {
		for _, peer := range httpClients {
			t.Run(m.name+"/"+peer.name, func(t *testing.T) {
				e := &echo{}
				send, stop, c := peer.start(t, m, e)
				for range 10 {
					send(outgoing())
				}
				stop()
				if peer.name == "bare" {
					return
				}
				spans := int64(10)
				if peer.name == "nethttp" {
					spans = 20
				}
				checkSpans(t, c, m, spans)
				if !hasTraceHeader(e.last) {
					t.Errorf("no trace header in %v", e.last)
				}
			})
		}
	}
}

func hasTraceHeader(h map[string][]string) bool {
	for k := range h {
		switch strings.ToLower(k) {
		case "traceparent", "uber-trace-id", "x-datadog-trace-id":
			return true
		}
	}
	return false
}
