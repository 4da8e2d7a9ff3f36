package tracerinit_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestWhichStatusesAreTriedAgain(t *testing.T) {
	otlpCodes, jaegerCodes := []int{429, 502, 503, 504}, []int{429, 500, 501, 502, 503, 504, 507}
	for name, c := range map[string]struct {
		build func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		again []int
	}{"otlp": {tracerinit.OTLPHTTP, otlpCodes}, "jaeger": {tracerinit.JaegerHTTP, jaegerCodes}} {
		for _, code := range []int{400, 401, 403, 404, 405, 408, 415, 422, 429, 500, 501, 502, 503, 504, 507} {
			t.Run(fmt.Sprint(name, code), func(t *testing.T) {
				b := newBackend(t, answers(code))
				l := open(t, c.build(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
				l.make(3)
				l.Flush(within(t, time.Minute))
				s, again := l.Stats(), slices.Contains(c.again, code)
				if again && s.Delivered != 3 || !again && s.Dropped.Refused != 3 || s.Failures != 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestAGatewayWithABodyLimitGetsEverySpan(t *testing.T) {
	for name, c := range map[string]struct {
		build  func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		decode func(testing.TB, []byte) []string
	}{"otlp": {tracerinit.OTLPHTTP, otlpNames}, "jaeger": {tracerinit.JaegerHTTP, thriftNames}} {
		t.Run(name, func(t *testing.T) {
			for _, refusal := range bodyLimitRefusals {
				t.Run(fmt.Sprint(refusal), func(t *testing.T) {
					b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
						if r.ContentLength > 64<<10 {
							w.WriteHeader(refusal.code)
							io.WriteString(w, refusal.body)
						}
					})
					l := open(t, c.build(b.URL), tracerinit.Queue{})
					for i := range 400 {
						l.StartSpan(fmt.Sprintf("span %d", i)).SetTag("n", i).SetTag("filler", strings.Repeat("x", 400)).Finish()
					}
					l.Flush(within(t, time.Minute))
					if diff := cmp.Diff(wantNames(400), b.names(t, c.decode)); diff != "" {
						t.Error(refusal, diff)
					}
					if s := l.Stats(); s.Delivered != 400 || s.Dropped.Total() != 0 {
						t.Errorf("%v: %+v", refusal, s)
					}
				})
			}
		})
	}
}

// bodyLimitRefusals are the answers of servers to a body over their limit. That of the OpenTelemetry Collector is a 400.
var bodyLimitRefusals = []struct {
	code int
	body string
}{
	{http.StatusRequestEntityTooLarge, ""},
	{http.StatusRequestEntityTooLarge, "<html><head><title>413 Request Entity Too Large</title></head></html>"},
	{http.StatusBadRequest, "http: request body too large"},
	{http.StatusBadRequest, `{"code":3,"message":"http: request body too large"}`},
	{http.StatusInternalServerError, "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (70000 vs. 65536)"},
}

// TestABusyInstanceIsLeft plays a balancer of connections, of whose instances the first is busy.
func TestABusyInstanceIsLeft(t *testing.T) {
	for _, code := range []int{429, 503} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(code, secure), func(t *testing.T) {
				var mu sync.Mutex
				conns := map[string]bool{}
				b := &backend{answer: func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					if conns[r.RemoteAddr] = true; len(conns) == 1 {
						w.WriteHeader(code)
					}
				}}
				b.Server = httptest.NewUnstartedServer(b)
				b.EnableHTTP2 = secure
				opts := []tracerinit.HTTPOption{tracerinit.WithRetry(quick)}
				if b.Start(); secure {
					b.Close()
					b.Server = httptest.NewUnstartedServer(b)
					b.EnableHTTP2 = true
					b.StartTLS()
					opts = append(opts, tracerinit.WithTLS(b.Client().Transport.(*http.Transport).TLSClientConfig))
				}
				defer b.Close()
				l := open(t, tracerinit.OTLPHTTP(b.URL, opts...), tracerinit.Queue{})
				l.make(3)
				l.Flush(within(t, time.Minute))
				if s := l.Stats(); s.Delivered != 3 || s.Failures != 1 || len(conns) != 2 {
					t.Errorf("%d connections, %+v", len(conns), s)
				}
				l.Shutdown(ended())
			})
		}
	}
}

func TestAPageIsNoReceipt(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		taken             bool
	}{
		"a page":            {"text/html; charset=utf-8", "<html><title>Log in</title></html>", false},
		"an empty page":     {"text/html", "", false},
		"XHTML":             {"application/xhtml+xml", "<html/>", false},
		"a page without it": {"", "<!doctype html><p>hello", false},
		"a page as text":    {"text/plain", "\n<!DOCTYPE html><title>Log in</title>", false},
		"a page as JSON":    {"application/json", "<html></html>", false},
		"a page as bytes":   {"application/octet-stream", "<HTML></HTML>", false},
		"nothing":           {"", "", true},
		"JSON":              {"application/json", "{}", true},
		"partial success":   {"application/json", `{"partialSuccess":{}}`, true},
		"protobuf":          {"application/x-protobuf", "", true},
		"text":              {"text/plain", "OK", true},
	} {
		for kind, build := range map[string]func(string, ...tracerinit.HTTPOption) tracerinit.Exporter{"otlp": tracerinit.OTLPHTTP, "jaeger": tracerinit.JaegerHTTP} {
			t.Run(kind+" "+name, func(t *testing.T) {
				b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header()["Content-Type"] = nil
					if c.contentType != "" {
						w.Header().Set("Content-Type", c.contentType)
					}
					io.WriteString(w, c.body)
				})
				l := open(t, build(b.URL, tracerinit.WithRetry(quick)), tracerinit.Queue{})
				l.make(3)
				l.Flush(within(t, time.Minute))
				s := l.Stats()
				if c.taken && s.Delivered != 3 || !c.taken && (s.Dropped.Refused != 3 || !strings.Contains(s.LastError, "HTML")) {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestErrorsQuoteTheReasonOfARefusal(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, want string }{
		"text":          {"text/plain", "tenant\nunknown", ": tenant unknown"},
		"JSON":          {"application/json", `{"code":7,"message":"quota is used up"}`, ": quota is used up"},
		"nested JSON":   {"application/json", `{"error":{"message":"no such project"}}`, ": no such project"},
		"list of JSON":  {"application/json", `{"errors":["too many spans"]}`, ": too many spans"},
		"a page":        {"text/html", "<html><head><title>403 WAF</title></head><body>x</body></html>", ": 403 WAF"},
		"protobuf":      {"application/x-protobuf", string(otlp.AppendStatus(nil, int32(codes.PermissionDenied), "not yours")), ": not yours"},
		"binary":        {"application/octet-stream", "\x00\xff\xfe\x80", ""},
		"secrets":       {"text/plain", "bad key secret-pass in secret-pass%40", ": bad key *** in ***%40"},
		"their secrets": {"text/plain", "password=hunter2 is wrong", "REDACTED"},
	} {
		for _, code := range []int{401, 403, 404, 413, 429, 503} {
			t.Run(fmt.Sprint(name, code), func(t *testing.T) {
				b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", c.contentType)
					w.WriteHeader(code)
					io.WriteString(w, c.body)
				})
				l := open(t, tracerinit.OTLPHTTP(b.URL, header("x-token", "secret-pass"), tracerinit.WithRetry(tracerinit.Retry{Limit: -1})), tracerinit.Queue{})
				l.make(1)
				l.Flush(within(t, time.Minute))
				said := l.Stats().LastError
				if !strings.Contains(said, fmt.Sprint(code)) || !strings.Contains(said, c.want) {
					t.Errorf("%q does not say %q", said, c.want)
				}
				if strings.Contains(said, "secret-pass") || strings.Contains(said, "hunter2") {
					t.Errorf("a secret is in %q", said)
				}
			})
		}
	}
	t.Run("bounded", func(t *testing.T) {
		b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, strings.Repeat("reason ", 100_000))
		})
		l := open(t, tracerinit.OTLPHTTP(b.URL), tracerinit.Queue{})
		l.make(1)
		l.Flush(within(t, time.Minute))
		if said := l.Stats().LastError; len(said) > 400 || !strings.Contains(said, "reason reason") {
			t.Errorf("%d bytes: %.100s", len(said), said)
		}
	})
}

// speaker is a server that sends greeting to whoever connects and then reads until the client leaves.
func speaker(t *testing.T, greeting string) (addr string) {
	return listener(t, func(c net.Conn) {
		io.WriteString(c, greeting)
		io.Copy(io.Discard, c)
	})
}

const (
	settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00" // as gRPC servers begin
	alert    = "\x15\x03\x01\x00\x02\x02\x46"
)

func TestOneProtocolOnThePortOfAnotherIsNamed(t *testing.T) {
	var standard lockedBuffer
	was := log.Writer()
	log.SetOutput(&standard)
	defer log.SetOutput(was)
	plain := newBackend(t, nil)
	secure := httptest.NewTLSServer(plain)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer secure.Close()
	host := func(u string) string { _, h, _ := strings.Cut(u, "://"); return h }
	for name, c := range map[string]struct{ endpoint, want string }{
		"gRPC":           {"http://" + speaker(t, settings), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
		"TLS alert":      {"http://" + speaker(t, alert), "write https://"},
		"TLS":            {"http://" + host(secure.URL), "write https://"},
		"not TLS":        {"https://" + host(plain.URL), "write http://"},
		"TLS to gRPC":    {"https://" + speaker(t, settings), "write http://"},
		"TLS of gRPC":    {"http://" + listener(t, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Read(make([]byte, 1)) }), "TLS, or gRPC?"},
		"unknown CA":     {secure.URL, "OTEL_EXPORTER_OTLP_CERTIFICATE"},
		"something else": {"http://" + speaker(t, "220 mail.example.com ESMTP\r\n"), "220 mail"},
		"no such host":   {"http://nosuch.invalid", "nosuch.invalid"},
		"nobody":         {"http://127.0.0.1:1", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, tracerinit.OTLPHTTP(c.endpoint, tracerinit.WithRetry(tracerinit.Retry{Limit: -1})), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if said := l.Stats().LastError; !strings.Contains(said, c.want) || l.Stats().Delivered != 0 {
				t.Errorf("%q does not say %q", said, c.want)
			}
		})
	}
	if said := standard.String(); strings.Contains(said, "Unsolicited") {
		t.Errorf("written to the standard log: %s", said)
	}
}

// TestAnswersBeforeTheRequest plays a balancer that is full and does not read what it refuses.
func TestAnswersBeforeTheRequest(t *testing.T) {
	var standard lockedBuffer
	was := log.Writer()
	log.SetOutput(&standard)
	defer log.SetOutput(was)
	const body = "all instances are busy"
	addr := speaker(t, fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	for range 50 {
		l := open(t, tracerinit.OTLPHTTP("http://"+addr, tracerinit.WithRetry(tracerinit.Retry{Limit: -1})), tracerinit.Queue{})
		l.make(1)
		l.Flush(within(t, time.Minute))
		if said := l.Stats().LastError; !strings.Contains(said, "503") || !strings.Contains(said, body) {
			t.Fatal(said)
		}
	}
	if said := standard.String(); said != "" {
		t.Errorf("written to the standard log: %s", said)
	}
}

// TestBytesAfterAnAnswer plays servers that send more than an answer has.
func TestBytesAfterAnAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"a 204 with a body": "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\nno content",
		"two answers":       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"too long a body":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}",
	} {
		t.Run(name, func(t *testing.T) {
			var standard lockedBuffer
			was := log.Writer()
			log.SetOutput(&standard)
			defer log.SetOutput(was)
			l := open(t, tracerinit.OTLPHTTP("http://"+answerer(t, answer), tracerinit.WithRetry(quick)), tracerinit.Queue{})
			for range 5 {
				l.make(1)
				l.Flush(within(t, time.Minute))
			}
			l.Shutdown(ended())
			if s := l.Stats(); s.Delivered != 5 || s.Failures != 0 || standard.String() != "" {
				t.Errorf("%+v, standard log: %q", s, standard.String())
			}
		})
	}
}

// answerer is a server that sends answer to each request on a connection.
func answerer(t *testing.T, answer string) (addr string) {
	return listener(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, answer)
		}
	})
}

// lockedBuffer is a log's output, safe to read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
