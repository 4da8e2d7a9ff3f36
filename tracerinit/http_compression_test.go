package tracerinit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/tracerinit"
)

// proxyTo starts a forward proxy on the loopback interface that sends every request to b, so that a test can address b
// by a name that is not loopback.
func proxyTo(t *testing.T, b *backend) tracerinit.HTTPOption {
	t.Helper()
	target, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Host = target.Host }}
	server := httptest.NewServer(forward)
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return tracerinit.WithProxy(http.ProxyURL(proxy))
}

// jaegerV1 answers as a collector of Jaeger v1 does, which reads the body as thrift whatever its Content-Encoding.
func jaegerV1(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Encoding") != "" {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "Unable to process request body: Unknown data type 31")
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func TestThriftIsPlainForAHostThatIsNotLoopback(t *testing.T) {
	for _, endpoint := range []string{"http://jaeger-collector:14268", "http://jaeger.example.com:14268/api/traces", "http://192.0.2.7:14268"} {
		t.Run(endpoint, func(t *testing.T) {
			b := newBackend(t, jaegerV1)
			l := open(t, tracerinit.JaegerHTTP(endpoint, proxyTo(t, b)), tracerinit.Queue{})
			l.make(10)
			l.Flush(within(t, time.Minute))
			if diff := cmp.Diff(wantNames(10), b.names(t, thriftNames)); diff != "" {
				t.Error(diff)
			}
			if s := l.Stats(); s.Delivered != 10 || s.Failures != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestCompressionByDefaultAndByOption(t *testing.T) {
	for _, c := range []struct {
		name     string
		build    func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		endpoint string // "": the loopback address
		opts     []tracerinit.HTTPOption
		want     string
	}{
		{"otlp", tracerinit.OTLPHTTP, "http://collector:4318", nil, "gzip"},
		{"otlp on loopback", tracerinit.OTLPHTTP, "", nil, ""},
		{"otlp without", tracerinit.OTLPHTTP, "http://collector:4318", []tracerinit.HTTPOption{tracerinit.WithoutCompression()}, ""},
		{"otlp on loopback with", tracerinit.OTLPHTTP, "", []tracerinit.HTTPOption{tracerinit.WithCompression()}, "gzip"},
		{"thrift", tracerinit.JaegerHTTP, "http://collector:14268", nil, ""},
		{"thrift on loopback", tracerinit.JaegerHTTP, "", nil, ""},
		{"thrift with", tracerinit.JaegerHTTP, "http://collector:14268", []tracerinit.HTTPOption{tracerinit.WithCompression()}, "gzip"},
		{"the last option wins", tracerinit.OTLPHTTP, "http://collector:4318", []tracerinit.HTTPOption{tracerinit.WithCompression(), tracerinit.WithoutCompression()}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend(t, nil)
			endpoint := c.endpoint
			if endpoint == "" {
				endpoint = b.URL
			}
			l := open(t, c.build(endpoint, append(c.opts, proxyTo(t, b))...), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if s := l.Stats(); s.Delivered != 1 {
				t.Fatalf("%+v", s)
			}
			if got := b.seen()[0].Header.Get("Content-Encoding"); got != c.want {
				t.Errorf("Content-Encoding %q, want %q", got, c.want)
			}
		})
	}
}

// refusing answers compressed bodies with the code, and takes plain ones while plain is true.
func refusing(code int, from int, plain bool) func(http.ResponseWriter, *http.Request) {
	zipped := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Encoding") == "" && plain {
			return
		}
		if zipped++; zipped > from || r.Header.Get("Content-Encoding") == "" {
			w.WriteHeader(code)
			io.WriteString(w, "first refusal")
		}
	}
}

// encodings has a letter for each request, z for one with gzip and p for one without.
func (b *backend) encodings() (s string) {
	for _, r := range b.seen() {
		if r.Header.Get("Content-Encoding") == "gzip" {
			s += "z"
		} else {
			s += "p"
		}
	}
	return s
}

func TestCompressionByDefaultIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		name      string
		answer    func(http.ResponseWriter, *http.Request)
		opts      []tracerinit.HTTPOption
		delivered uint64
		encodings string // of the requests of three batches, z: gzip, p: plain
	}{
		{"415", refusing(415, 0, true), nil, 3, "zppp"},
		{"400", refusing(400, 0, true), nil, 3, "zppp"},
		{"406", refusing(406, 0, true), nil, 3, "zppp"},
		{"422", refusing(422, 0, true), nil, 3, "zppp"},
		{"500", refusing(500, 0, true), nil, 3, "zppp"},
		{"500 later is final", refusing(500, 1, true), nil, 1, "zzz"},
		{"501", refusing(501, 0, true), nil, 3, "zppp"},
		{"415 later", refusing(415, 1, true), nil, 3, "zzpp"},
		{"400 later is final", refusing(400, 1, true), nil, 1, "zzz"},
		{"plain is not taken either", refusing(400, 0, false), nil, 0, "zpzpzp"},
		{"403 is no matter of compression", refusing(403, 0, true), nil, 0, "zzz"},
		{"asked for", refusing(415, 0, true), []tracerinit.HTTPOption{tracerinit.WithCompression()}, 0, "zzz"},
		{"not wanted", refusing(415, 0, true), []tracerinit.HTTPOption{tracerinit.WithoutCompression()}, 3, "ppp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend(t, c.answer)
			l := open(t, tracerinit.OTLPHTTP("http://collector:4318", append(c.opts, proxyTo(t, b))...), tracerinit.Queue{})
			for range 3 {
				l.make(1)
				l.Flush(within(t, time.Minute))
			}
			s, encodings := l.Stats(), b.encodings()
			if encodings != c.encodings || s.Delivered != c.delivered || s.Dropped.Refused != 3-c.delivered {
				t.Errorf("sent %s, want %s; %+v", encodings, c.encodings, s)
			}
			if c.delivered == 3 && (s.Failures != 0 || s.LastError != "") {
				t.Errorf("a resend that was taken is no failure: %+v", s)
			}
			if named := strings.Contains(s.LastError, "WithCompression"); named != (c.name == "asked for") {
				t.Errorf("the error: %s", s.LastError)
			}
		})
	}
}

// TestConnectionsThatBreakOnCompression plays receivers that end the connection when they get a compressed body, and
// networks that break for other reasons.
func TestConnectionsThatBreakOnCompression(t *testing.T) {
	for _, c := range []struct {
		name      string
		broken    func(request int, zipped bool) bool // requests are counted from 1
		opts      []tracerinit.HTTPOption
		encodings string // of the requests of three batches
	}{
		{"always", func(_ int, zipped bool) bool { return zipped }, nil, "zzpzpp"},
		{"never", func(int, bool) bool { return false }, nil, "zzz"},
		{"twice at first", func(n int, _ bool) bool { return n <= 2 }, nil, "zzpzz"},
		{"three times at first", func(n int, _ bool) bool { return n <= 3 }, nil, "zzpzzz"},
		{"later", func(n int, _ bool) bool { return n == 2 || n == 3 || n == 4 }, nil, "zzzzzz"},
		{"asked for", func(n int, _ bool) bool { return n <= 3 }, []tracerinit.HTTPOption{tracerinit.WithCompression()}, "zzzzzz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n atomic.Int64 // each connection has its goroutine
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				if c.broken(int(n.Add(1)), r.Header.Get("Content-Encoding") != "") {
					panic(http.ErrAbortHandler)
				}
			})
			itself := tracerinit.WithProxy(func(*http.Request) (*url.URL, error) { return url.Parse(b.URL) })
			l := open(t, tracerinit.OTLPHTTP("http://collector:4318", append(c.opts, itself, tracerinit.WithRetry(quick))...), tracerinit.Queue{})
			for range 3 {
				l.make(1)
				l.Flush(within(t, time.Minute))
			}
			if s := l.Stats(); b.encodings() != c.encodings || s.Delivered != 3 {
				t.Errorf("sent %s, want %s; %+v", b.encodings(), c.encodings, s)
			}
		})
	}
}
