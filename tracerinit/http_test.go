package tracerinit_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestHTTPExportersDeliverEverySpan(t *testing.T) {
	for _, c := range []struct {
		name   string
		build  func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		path   string
		kind   string
		decode func(testing.TB, []byte) []string
	}{
		{"otlp", tracerinit.OTLPHTTP, "/v1/traces", "application/x-protobuf", otlpNames},
		{"jaeger", tracerinit.JaegerHTTP, "/api/traces", "application/x-thrift", thriftNames},
	} {
		for _, opts := range [][]tracerinit.HTTPOption{nil, {tracerinit.WithCompression()}} {
			t.Run(fmt.Sprint(c.name, len(opts)), func(t *testing.T) {
				b := newBackend(t, nil)
				l := open(t, c.build(b.URL, opts...), tracerinit.Queue{Batch: 100})
				l.make(1234)
				if err := l.Flush(within(t, time.Minute)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wantNames(1234), b.names(t, c.decode)); diff != "" {
					t.Error(diff)
				}
				r := b.seen()[0]
				if r.Method != "POST" || r.URL.Path != c.path || r.Header.Get("Content-Type") != c.kind {
					t.Errorf("%s %s of type %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
				}
				if zipped := r.Header.Get("Content-Encoding") == "gzip"; zipped != (len(opts) > 0) {
					t.Errorf("gzip: %v", zipped)
				}
				if s := l.Stats(); s.Delivered != 1234 || s.Reported != 1234 || s.Failures != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// answers gives the codes in turn, then 200.
func answers(codes ...int) func(http.ResponseWriter, *http.Request) {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if i := int(n.Add(1)); i <= len(codes) {
			w.WriteHeader(codes[i-1])
		}
	}
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	for _, codes := range [][]int{{503, 503}, {429}, {502, 504}} {
		t.Run(fmt.Sprint(codes), func(t *testing.T) {
			b := newBackend(t, answers(codes...))
			l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
			l.make(5)
			l.Flush(within(t, time.Minute))
			if diff := cmp.Diff(wantNames(5), b.names(t, otlpNames)); diff != "" {
				t.Error(diff)
			}
			if s := l.Stats(); s.Delivered != 5 || s.Dropped.Total() != 0 || s.Failures != uint64(len(codes)) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestRefusalsAreFinal(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 408, 500, 501, 301, 302, 307, 308} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "elsewhere") {
					return
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(code)
			})
			l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
			l.make(5)
			l.Flush(within(t, time.Minute))
			s := l.Stats()
			if s.Dropped.Refused != 5 || s.Delivered != 0 || len(b.seen()) != 1 {
				t.Errorf("%d requests, %+v", len(b.seen()), s)
			}
			for _, part := range []string{"otlp/http", strconv.Itoa(code), b.Listener.Addr().String()} {
				if !strings.Contains(s.LastError, part) {
					t.Errorf("%q does not say %s", s.LastError, part)
				}
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, value := range map[string]func() string{
		"seconds": func() string { return "1" },
		"date":    func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first atomic.Int64
			var second atomic.Int64
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				if first.CompareAndSwap(0, time.Now().UnixNano()) {
					w.Header().Set("Retry-After", value())
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				second.Store(time.Now().UnixNano())
			})
			l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if pause := time.Duration(second.Load() - first.Load()); pause < 900*time.Millisecond {
				t.Errorf("tried again after %v", pause)
			}
		})
	}
}

func TestPartialSuccessIsCountedAsRejected(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(otlp.AppendResponse(nil, 3, "three too old"))
	})
	l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
	l.make(10)
	l.Flush(within(t, time.Minute))
	s := l.Stats()
	if s.Delivered != 7 || s.Dropped.Rejected != 3 || len(b.seen()) != 1 {
		t.Errorf("%d requests, %+v", len(b.seen()), s)
	}
	if !strings.Contains(s.LastError, "three too old") {
		t.Errorf("the reason is not in %q", s.LastError)
	}
}

const vendorToken = "aaa@bbb_ccc@ddd1234"

func TestVendorEndpointsWorkVerbatim(t *testing.T) {
	for _, c := range []struct {
		name, path string
		build      func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		decode     func(testing.TB, []byte) []string
	}{
		{"otlp", "/adapt_" + vendorToken + "/api/otlp/traces", tracerinit.OTLPHTTP, otlpNames},
		{"jaeger", "/adapt_" + vendorToken + "/api/traces", tracerinit.JaegerHTTP, thriftNames},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != c.path {
					w.Header().Set("X-Echo", r.URL.Path)
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, "bad token in "+r.URL.Path)
				}
			})
			right := open(t, c.build(b.URL+c.path), tracerinit.Queue{})
			right.make(5)
			right.Flush(within(t, time.Minute))
			if diff := cmp.Diff(wantNames(5), b.names(t, c.decode)); diff != "" {
				t.Error(diff)
			}
			if got := b.seen()[0].RequestURI; got != c.path {
				t.Errorf("asked for %s, not %s", got, c.path)
			}
			wrong := open(t, c.build(b.URL+strings.Replace(c.path, "ddd", "eee", 1)), tracerinit.Queue{})
			wrong.make(5)
			wrong.Flush(within(t, time.Minute))
			s := wrong.Stats()
			if !strings.Contains(s.LastError, "403 Forbidden from "+b.Listener.Addr().String()) || s.Dropped.Refused != 5 {
				t.Errorf("%+v", s)
			}
			for _, text := range []string{s.LastError, wrong.Endpoint(), fmt.Sprintf("%+v", c.build(b.URL+c.path))} {
				if strings.Contains(text, "bbb") || strings.Contains(text, "adapt_") {
					t.Errorf("the token is in %q", text)
				}
			}
		})
	}
}

func header(name, value string) tracerinit.HTTPOption {
	return tracerinit.WithHeaders(map[string]string{name: value})
}

func TestCredentialsAreSentAndNotShown(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []tracerinit.HTTPOption
		user string // in the URL
		key  string
		want string
	}{
		{"basic", []tracerinit.HTTPOption{tracerinit.WithBasicAuth("me", "secret-pass")}, "", "Authorization", "Basic bWU6c2VjcmV0LXBhc3M="},
		{"basic in the URL", nil, "me:secret-pass@", "Authorization", "Basic bWU6c2VjcmV0LXBhc3M="},
		{"bearer", []tracerinit.HTTPOption{tracerinit.WithBearerToken(tracerinit.Secret("secret-pass"))}, "", "Authorization", "Bearer secret-pass"},
		{"header", []tracerinit.HTTPOption{tracerinit.WithHeaders(map[string]string{"x-token": "secret-pass"})}, "", "X-Token", "secret-pass"},
		{"last wins", []tracerinit.HTTPOption{tracerinit.WithBasicAuth("a", "b"), tracerinit.WithBearerToken("secret-pass")}, "", "Authorization", "Bearer secret-pass"},
		{"last header wins", []tracerinit.HTTPOption{header("X-TOKEN", "b"), header("x-token", "b"), header("x-tOKEN", "secret-pass")}, "", "X-Token", "secret-pass"},
		{"header after bearer", []tracerinit.HTTPOption{tracerinit.WithBearerToken("a"), header("authorization", "secret-pass")}, "", "Authorization", "secret-pass"},
		{"header after basic", []tracerinit.HTTPOption{tracerinit.WithBasicAuth("a", "b"), header("Authorization", "secret-pass")}, "", "Authorization", "secret-pass"},
		{"bearer after header", []tracerinit.HTTPOption{header("Authorization", "a"), tracerinit.WithBearerToken("secret-pass")}, "", "Authorization", "Bearer secret-pass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
			e := tracerinit.JaegerHTTP(strings.Replace(b.URL, "http://", "http://"+c.user, 1), c.opts...)
			l := open(t, e, tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if got := b.seen()[0].Header.Get(c.key); got != c.want {
				t.Errorf("%s: %q, want %q", c.key, got, c.want)
			}
			for _, text := range []string{l.Stats().LastError, e.Endpoint(), fmt.Sprintf("%#v %+v", e, e)} {
				if strings.Contains(text, "secret-pass") || strings.Contains(text, "bWU6") {
					t.Errorf("a secret is in %q", text)
				}
			}
		})
	}
}

func TestCredentialsThatABackendQuotesAreMasked(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		text := "not for " + r.Header.Get("Authorization")
		if r.Header.Get("Fold") != "" {
			text = strings.ToUpper(text)
		}
		w.Write(otlp.AppendStatus(nil, 16, text))
	})
	for name, e := range map[string]tracerinit.Exporter{
		"in another case":  tracerinit.OTLPHTTP(b.URL, tracerinit.WithBearerToken("secret-pass"), header("Fold", "1")),
		"basic":            tracerinit.OTLPHTTP(b.URL, tracerinit.WithBasicAuth("me", "secret-pass")),
		"basic in the URL": tracerinit.OTLPHTTP(strings.Replace(b.URL, "http://", "http://me:secret-pass@", 1)),
		"bearer":           tracerinit.OTLPHTTP(b.URL, tracerinit.WithBearerToken("secret-pass")),
		"header":           tracerinit.OTLPHTTP(b.URL, header("authorization", "Basic bWU6c2VjcmV0LXBhc3M=")),
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, e, tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if said := l.Stats().LastError; !strings.Contains(said, "***") || strings.Contains(said, "bWU6") || strings.Contains(strings.ToLower(said), "secret-pass") {
				t.Errorf("%s: %q", name, said)
			}
		})
	}
}

// Some vendors want their token among the process tags.
func TestATokenInTheProcessTagsIsMasked(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(otlp.AppendResponse(nil, 1, "no tenant for token secret-1 of eu-west"))
	})
	tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(b.URL)}, Tags: map[string]any{"token": "secret-1", "region": "eu-west"}})
	tracer.StartSpan("x").Finish()
	tracer.Flush(within(t, time.Minute))
	if said := tracer.Stats().Exporters[0].LastError; !strings.Contains(said, "token *** of eu-west") {
		t.Errorf("%q", said)
	}
}

func TestMalformedEndpointsAreErrorsWithoutSecrets(t *testing.T) {
	for _, endpoint := range []string{
		"", " ", "localhost:4318", "ftp://h/topsecret", "http://", "http:///topsecret", "http://h:99999/topsecret", "http://h:/topsecret",
		"http://[::1/topsecret", "http://h/%zztopsecret", "http://u:topsecret@/", "http://h:http:x/topsecret", "topsecret",
		"http://endpoint=topsecret", "http://a,topsecret/", "http://h/adapt_top#topsecret/api",
	} {
		t.Run("endpoint "+endpoint, func(t *testing.T) {
			for _, e := range []tracerinit.Exporter{tracerinit.OTLPHTTP(endpoint), tracerinit.JaegerHTTP(endpoint)} {
				t.Run(fmt.Sprintf("%.10v", e), func(t *testing.T) {
					_, err := tracerinit.StartPipeline(e, tracerinit.Queue{}, export.Env{Process: &model.Process{}})
					if err == nil {
						t.Errorf("%q: no error", endpoint)
						return
					}
					if strings.Contains(err.Error()+e.Endpoint(), "topsecret") {
						t.Errorf("%q: the error holds the secret: %v, %s", endpoint, err, e.Endpoint())
					}
				})
			}
		})
	}
}

func TestAHeaderThatCannotBeSentIsAnErrorWithoutSecrets(t *testing.T) {
	for name, value := range map[string]string{
		"X-Token": "topsecret\r\nX: y", "Bearer topsecret": "x", "Authorization: topsecret": "", "": "topsecret",
	} {
		t.Run("header "+name, func(t *testing.T) {
			bad := tracerinit.OTLPHTTP("http://h", tracerinit.WithHeaders(map[string]string{name: value}))
			_, err := bad.Open(tracerinit.Process{})
			if err == nil || strings.Contains(err.Error(), "topsecret") || name == "X-Token" && !strings.Contains(err.Error(), name) {
				t.Errorf("%v", err)
			}
		})
	}
}
