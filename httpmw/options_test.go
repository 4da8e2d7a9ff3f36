package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// yes and no are predicates of requests.
func yes(*http.Request) bool { return true }
func no(*http.Request) bool  { return false }

func named(name string) httpmw.Option {
	return httpmw.WithOperationName(func(*http.Request, string) string { return name })
}

func redacted(url string) httpmw.Option {
	return httpmw.WithURLRedaction(redactTo(url))
}

func redactTo(s string) func(*url.URL) string { return func(*url.URL) string { return s } }

func failingIf(fails bool) httpmw.Option {
	return httpmw.WithErrorPolicy(func(*http.Request, bool, int) bool { return fails })
}

func routing(pattern string) (routes httpmw.ServerOption, mux httpmw.ServerOption) {
	r, m := chi.NewRouter(), http.NewServeMux()
	r.Get(pattern, ok)
	m.HandleFunc(pattern, ok)
	return httpmw.WithRoutes(r), httpmw.WithMux(m)
}

// TestOptionsOfServers: lists of tags and headers add up, of the other options the last one wins, and nil is none.
func TestOptionsOfServers(t *testing.T) {
	tag := func(key string) httpmw.Option { return httpmw.WithTags(opentracing.Tag{Key: key, Value: key}) }
	firstRoutes, firstMux := routing("/{first}")
	lastRoutes, lastMux := routing("/{last}")
	proxies := netip.MustParsePrefix("192.0.2.0/24")
	for name, tt := range map[string]struct {
		options []httpmw.ServerOption
		want    map[string]any
	}{
		"WithTags": {[]httpmw.ServerOption{tag("first"), tag("last")}, map[string]any{"first": "first", "last": "last"}},
		"WithHeaderTags": {[]httpmw.ServerOption{httpmw.WithHeaderTags([]string{"X-First"}, nil), httpmw.WithHeaderTags([]string{"X-Last"}, nil)},
			map[string]any{"http.request.header.x-first": "1", "http.request.header.x-last": "2"}},
		"WithFilter":         {[]httpmw.ServerOption{httpmw.WithFilter(no), httpmw.WithFilter(yes), httpmw.WithFilter(nil)}, map[string]any{"http.method": "GET"}},
		"WithSemconv":        {[]httpmw.ServerOption{httpmw.WithSemconv(httpmw.OTel), httpmw.WithSemconv(httpmw.OpenTracing)}, map[string]any{"http.request.method": nil, "http.method": "GET"}},
		"WithURLRedaction":   {[]httpmw.ServerOption{redacted("first"), redacted("last"), httpmw.WithURLRedaction(nil)}, map[string]any{"http.url": "last"}},
		"WithErrorPolicy":    {[]httpmw.ServerOption{failingIf(false), failingIf(true), httpmw.WithErrorPolicy(nil)}, map[string]any{"error": true}},
		"WithPublicEndpoint": {[]httpmw.ServerOption{httpmw.WithPublicEndpoint(no), httpmw.WithPublicEndpoint(yes), httpmw.WithPublicEndpoint(nil)}, map[string]any{"link.span_id": "00f067aa0ba902b7"}},
		"WithTrustedProxies": {[]httpmw.ServerOption{httpmw.WithTrustedProxies(), httpmw.WithTrustedProxies(proxies)}, map[string]any{"http.client_ip": "203.0.113.9"}},
		"WithRoutes":         {[]httpmw.ServerOption{firstRoutes, lastRoutes, httpmw.WithRoutes(nil)}, map[string]any{"http.route": "/{last}"}},
		"WithMux":            {[]httpmw.ServerOption{firstMux, lastMux, httpmw.WithMux(nil)}, map[string]any{"http.route": "/{last}"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newJaeger(t, always)
			r := httptest.NewRequest("GET", "/x", nil)
			r.Header = http.Header{"X-First": {"1"}, "X-Last": {"2"}, "X-Forwarded-For": {"203.0.113.9"},
				"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
			httpmw.Middleware(tracer, append(tt.options, nil)...)(http.HandlerFunc(ok)).ServeHTTP(httptest.NewRecorder(), r)
			tags := reporter.GetSpans()[0].(*jaeger.Span).Tags()
			for key, want := range tt.want {
				if got := tags[key]; got != want {
					t.Errorf("%s = %v, want %v", key, got, want)
				}
			}
		})
	}
}

// TestNamesAndHeadersOfServers are those of the last option.
func TestNamesAndHeadersOfServers(t *testing.T) {
	tracer := spantest.New(t)
	w := handle(httpmw.Middleware(tracer, named("first"), named("last"), httpmw.WithOperationName(nil),
		httpmw.WithTraceIDHeader("X-First"), httpmw.WithTraceIDHeader("X-Last"))(http.HandlerFunc(ok)), "GET", "/")
	if got := one(t, tracer).OperationName; got != "last" || w.Header().Get("X-First") != "" {
		t.Errorf("name %q, header %v", got, w.Header())
	}
}

// TestOptionsOfClients are taken like those of servers.
func TestOptionsOfClients(t *testing.T) {
	service := func(name string) httpmw.ClientOption {
		return httpmw.WithPeerService(func(*http.Request) string { return name })
	}
	tracer := spantest.New(t)
	var sent *http.Request
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{StatusCode: 404, Body: http.NoBody}, nil
	}), named("first"), named("last"), httpmw.WithFilter(no), httpmw.WithFilter(yes), redacted("first"), redacted("last"),
		failingIf(true), failingIf(false), service("first"), service("last"), httpmw.WithPeerService(nil),
		httpmw.WithPropagation(yes), httpmw.WithPropagation(no), httpmw.WithPropagation(nil), nil)
	if _, err := rt.RoundTrip(httptest.NewRequest("GET", "http://b.example/", nil)); err != nil {
		t.Fatal(err)
	}
	span := one(t, tracer)
	wantTags(t, span, map[string]any{"http.url": "last", "peer.service": "last", "error": nil})
	if span.OperationName != "last" || len(sent.Header) != 0 {
		t.Errorf("name %q, sent %v", span.OperationName, sent.Header)
	}
}
