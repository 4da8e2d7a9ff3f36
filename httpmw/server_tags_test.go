package httpmw_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

func TestServerSpansHaveTheirTags(t *testing.T) {
	hello := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }
	r := httptest.NewRequest("POST", "http://shop.example:8080/a%2Fb?q=1", strings.NewReader("body"))
	r.Header.Set("User-Agent", "test/1")
	r.RemoteAddr = "203.0.113.9:5000"
	ot := map[string]any{
		"span.kind": ext.SpanKindRPCServerEnum, "component": "net/http", "http.method": "POST",
		"http.url": "http://shop.example:8080/a%2Fb?q=1", "http.status_code": uint16(200),
		"peer.address": "203.0.113.9:5000", "peer.ipv4": "203.0.113.9", "peer.port": uint16(5000),
		"http.user_agent": "test/1", "http.request_size": int64(4), "http.response_size": int64(5),
	}
	otel := map[string]any{
		"span.kind": ext.SpanKindRPCServerEnum, "component": "net/http", "http.request.method": "POST",
		"url.scheme": "http", "url.path": "/a%2Fb", "url.query": "q=1", "http.response.status_code": uint16(200),
		"http.status_code": uint16(200), "server.address": "shop.example", "server.port": uint16(8080),
		"network.peer.address": "203.0.113.9", "network.peer.port": uint16(5000), "client.address": "203.0.113.9",
		"user_agent.original": "test/1", "network.protocol.version": "1.1",
		"http.request.body.size": int64(4), "http.response.body.size": int64(5),
	}
	both := map[string]any{}
	for _, m := range []map[string]any{ot, otel} {
		for k, v := range m {
			both[k] = v
		}
	}
	for name, tt := range map[string]struct {
		opts []httpmw.ServerOption
		want map[string]any
	}{
		"default": {nil, ot},
		"otel":    {[]httpmw.ServerOption{httpmw.WithSemconv(httpmw.OTel)}, otel},
		"both":    {[]httpmw.ServerOption{httpmw.WithSemconv(httpmw.OTel), httpmw.WithSemconv(httpmw.Both)}, both},
	} {
		t.Run(name, func(t *testing.T) {
			span := served(t, hello, r, tt.opts...)
			if d := cmp.Diff(tt.want, span.Tags()); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if len(span.Logs()) != 0 {
				t.Errorf("%s: logs of a healthy request: %v", name, span.Logs())
			}
		})
	}
}

// TestNoTagTwice: jaeger-client-go would export both.
func TestNoTagTwice(t *testing.T) {
	for _, semconv := range []httpmw.Semconv{httpmw.OpenTracing, httpmw.OTel, httpmw.Both} {
		for name, h := range map[string]http.HandlerFunc{
			"ok":    func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") },
			"500":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
			"panic": func(w http.ResponseWriter, r *http.Request) { panic("x") },
		} {
			t.Run(fmt.Sprint(semconv, name), func(t *testing.T) {
				tracer := &counting{Tracer: spantest.New(t)}
				mw := httpmw.Middleware(tracer, httpmw.WithSemconv(semconv), httpmw.WithTags(
					opentracing.Tag{Key: "http.method", Value: "MINE"}, opentracing.Tag{Key: "component", Value: "mine"},
					opentracing.Tag{Key: "team", Value: "a"}, opentracing.Tag{Key: "team", Value: "b"},
					opentracing.Tag{Key: "span.kind", Value: "odd"}, opentracing.Tag{Key: "error", Value: true},
				), httpmw.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
				func() {
					defer func() { recover() }()
					mw(h).ServeHTTP(httptest.NewRecorder(), request("GET", "/", "X-Forwarded-For", "1.1.1.1"))
				}()
				for key, n := range tracer.tags {
					if n > 1 {
						t.Errorf("%v, %s: tag %s was set %d times", semconv, name, key, n)
					}
				}
				span := one(t, tracer.Tracer)
				wantTags(t, span, map[string]any{"http.method": "MINE", "component": "mine", "team": "b", "span.kind": ext.SpanKindRPCServerEnum})
				if failed := name != "ok"; (span.Tag("error") == true) != failed {
					t.Errorf("%s: error = %v", name, span.Tag("error"))
				}
			})
		}
	}
}

// counting counts the tags of its spans by key.
type counting struct {
	*spantest.Tracer
	tags map[string]int
}

type countingSpan struct {
	opentracing.Span
	tracer *counting
}

func (c *counting) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	c.tags = map[string]int{}
	var o opentracing.StartSpanOptions
	for _, opt := range opts {
		opt.Apply(&o)
	}
	for k := range o.Tags {
		c.tags[k]++
	}
	return &countingSpan{c.Tracer.StartSpan(name, opts...), c}
}

func (s *countingSpan) SetTag(key string, value any) opentracing.Span {
	s.tracer.tags[key]++
	s.Span.SetTag(key, value)
	return s
}

func TestURLRedaction(t *testing.T) {
	const secret = "hunter2"
	for target, want := range map[string]string{
		"/p?token=hunter2":                                              "http://example.com/p?token=REDACTED",
		"/p?a=1&X-Amz-Signature=hunter2&b=2":                            "http://example.com/p?a=1&X-Amz-Signature=REDACTED&b=2",
		"/p?sig=hunter2;b=2":                                            "http://example.com/p?sig=REDACTED;b=2",
		"/p?%74oken=hunter2":                                            "http://example.com/p?%74oken=REDACTED",
		"/p?PassWord=hunter2&PassWord=hunter2":                          "http://example.com/p?PassWord=REDACTED&PassWord=REDACTED",
		"/p?tokens=1&flag&=&a=b=c":                                      "http://example.com/p?tokens=1&flag&=&a=b=c",
		"http://u:hunter2@proxied.example/p":                            "http://proxied.example/p",
		"http://proxied.example/a%2Fb?x=1":                              "http://proxied.example/a%2Fb?x=1",
		"http://proxied.example?x=1":                                    "http://proxied.example?x=1",
		"/p?token=" + strings.Repeat("hunter2", 100) + "&x=1":           "http://example.com/p?token=REDACTED&x=1",
		"/p?" + strings.Repeat("sig=hunter2&", 50):                      "http://example.com/p",
		"/" + strings.Repeat("x", 200) + "?" + strings.Repeat("q", 100): "http://example.com/" + strings.Repeat("x", 200),
		"/p?AWSAccessKeyId=hunter2&Signature=hunter2":                   "http://example.com/p?AWSAccessKeyId=REDACTED&Signature=REDACTED",
	} {
		t.Run(target, func(t *testing.T) {
			span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", target), httpmw.WithSemconv(httpmw.Both))
			if got := span.Tag("http.url"); got != want {
				t.Errorf("%s: http.url = %v, want %s", target, got, want)
			}
			if all := fmt.Sprint(span.Tags(), span.Logs()); strings.Contains(all, secret) {
				t.Errorf("%s: the secret is on the span: %s", target, all)
			}
		})
	}
	long := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"+strings.Repeat("x", 5000)))
	if got := long.Tag("http.url").(string); len(got) > 256 {
		t.Errorf("http.url has %d bytes", len(got))
	}
	inHost := request("GET", "/p")
	inHost.Host = "alice:hunter2@example.com:81"
	wantTags(t, served(t, func(http.ResponseWriter, *http.Request) {}, inHost, httpmw.WithSemconv(httpmw.Both)),
		map[string]any{"http.url": "http://example.com:81/p", "server.address": "example.com", "server.port": uint16(81)})
	hook := httpmw.WithURLRedaction(func(u *url.URL) string { u.RawQuery = ""; return u.String() })
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/p?x=1"), hook, httpmw.WithURLRedaction(nil), httpmw.WithSemconv(httpmw.Both))
	wantTags(t, span, map[string]any{"http.url": "http://example.com/p", "url.path": "/p", "url.query": nil})
	panics := httpmw.WithURLRedaction(func(u *url.URL) string { panic("x") })
	span = servedDespitePanics(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/p?token=hunter2"), panics)
	wantTags(t, span, map[string]any{"http.url": "http://example.com/p?token=REDACTED", "spanloom.hook_panics": 1})
}

func TestUnknownMethodsShareOneName(t *testing.T) {
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("BREW", "/"))
	wantTags(t, span, map[string]any{"http.method": "_OTHER", "http.method_original": "BREW"})
	if span.OperationName != "HTTP" {
		t.Errorf("name %q, want HTTP", span.OperationName)
	}
}

func TestOnlyTrustedProxiesNameThePeer(t *testing.T) {
	proxies := httpmw.WithTrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", []string{"6.6.6.6"}, "203.0.113.9"},
		{"10.0.0.1:1", []string{"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:1", []string{"6.6.6.6", "198.51.100.7, 10.1.1.1"}, "198.51.100.7"},
		{"10.0.0.1:1", []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		{"10.0.0.1:1", []string{"198.51.100.7:4444"}, "198.51.100.7"},
		{"[fd00::1]:1", []string{"[2001:db8::5]:4444"}, "2001:db8::5"},
		{"10.0.0.1:1", []string{"198.51.100.7, garbage"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{"::ffff:10.1.1.1"}, "10.1.1.1"},
	} {
		t.Run(tt.peer+" for "+strings.Join(tt.forwarded, "; "), func(t *testing.T) {
			r := request("GET", "/")
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.forwarded
			span := served(t, func(http.ResponseWriter, *http.Request) {}, r, proxies)
			wantTags(t, span, map[string]any{"http.client_ip": tt.want, "peer.address": tt.peer})
		})
	}
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/", "X-Forwarded-For", "6.6.6.6"))
	wantTags(t, span, map[string]any{"http.client_ip": nil, "peer.ipv4": "192.0.2.1"})
}

func TestChosenHeadersBecomeTags(t *testing.T) {
	span := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", "v1")
		w.Header().Set("Set-Cookie", "s=1")
	},
		request("GET", "/", "X-Tenant", "a", "X-Tenant", "b", "Authorization", "Bearer hunter2"),
		httpmw.WithHeaderTags([]string{"x-tenant", "host", "X-Missing"}, []string{"etag"}))
	wantTags(t, span, map[string]any{
		"http.request.header.x-tenant": "a, b", "http.request.header.host": "example.com",
		"http.request.header.x-missing": nil, "http.response.header.etag": "v1",
	})
	if all := fmt.Sprint(span.Tags()); strings.Contains(all, "hunter2") || strings.Contains(all, "s=1") {
		t.Errorf("headers that were not asked for: %s", all)
	}
}

// TestNoUserNames: basic auth names users.
func TestNoUserNames(t *testing.T) {
	r := request("GET", "/")
	r.SetBasicAuth("alice", "hunter2")
	if all := fmt.Sprint(served(t, func(http.ResponseWriter, *http.Request) {}, r, httpmw.WithSemconv(httpmw.Both)).Tags()); strings.Contains(all, "alice") {
		t.Errorf("user name on the span: %s", all)
	}
}

func TestTagsOfHostileRequestsAreShortAndHoldNoSecret(t *testing.T) {
	r := request("GET", "/", "User-Agent", strings.Repeat("a", 1<<20), "X-Forwarded-For", strings.Repeat("10.0.0.1,", 1<<16))
	r.Host = "user:hunter2@" + strings.Repeat("h", 1<<16)
	r.RemoteAddr = strings.Repeat("9", 1<<16)
	r.Method = strings.Repeat("M", 1<<16)
	span := served(t, func(http.ResponseWriter, *http.Request) {}, r, httpmw.WithSemconv(httpmw.Both),
		httpmw.WithTrustedProxies(netip.MustParsePrefix("0.0.0.0/0")), httpmw.WithHeaderTags([]string{"User-Agent"}, nil))
	for k, v := range span.Tags() {
		if s, ok := v.(string); ok && len(s) > 1024+3 {
			t.Errorf("tag %s has %d bytes", k, len(s))
		}
	}
	if strings.Contains(fmt.Sprint(span.Tags()), "hunter2") {
		t.Error("secret of the Host header on the span")
	}
}
