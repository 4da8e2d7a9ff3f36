package gateways_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/tracerinit"
)

// behind starts a backend behind a gateway, which passes on what answer leaves unanswered.
func behind(t *testing.T, answer func(w http.ResponseWriter, r *http.Request) (answered bool)) (name string, backend *sink.HTTP) {
	t.Helper()
	backend = sink.NewHTTP(t)
	backend.Misbehave(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			backend.Take(w, r)
		}
	})
	return named(strings.TrimPrefix(backend.URL, "http://")), backend
}

func TestABodyLimitGetsEverySpan(t *testing.T) {
	for kind, exporter := range overHTTP {
		for _, limit := range []int{64 << 10, 4 << 10, 1200} {
			t.Run(fmt.Sprint(kind, " ", limit), func(t *testing.T) {
				refused := 0
				name, backend := behind(t, func(w http.ResponseWriter, r *http.Request) bool {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					if len(body) <= limit {
						return false
					}
					refused++
					w.WriteHeader(http.StatusRequestEntityTooLarge)
					return true
				})
				s := start(t, exporter(name, tracerinit.WithoutCompression()))
				s.all(t, s.send(t, 100), &backend.Taken)
				before := refused
				s.all(t, s.send(t, 100), &backend.Taken)
				if refused != before {
					t.Errorf("the size that fits is forgotten: %d more refusals", refused-before)
				}
			})
		}
	}
}

func TestCompressionThatIsRefused(t *testing.T) {
	for _, code := range []int{http.StatusUnsupportedMediaType, http.StatusBadRequest} {
		refuse := func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Content-Encoding") == "" {
				return false
			}
			http.Error(w, "Unknown data type 31", code)
			return true
		}
		for kind, exporter := range overHTTP {
			t.Run(fmt.Sprint(kind, " by default ", code), func(t *testing.T) {
				name, backend := behind(t, refuse)
				s := start(t, exporter(name))
				s.all(t, s.send(t, 100), &backend.Taken)
				want := map[string]int64{"OTLP": 3, "thrift": 2}[kind] // one is refused, and sent again
				if n := backend.Attempts.Load(); n != want {
					t.Errorf("%d requests, want %d", n, want)
				}
			})
			t.Run(fmt.Sprint(kind, " by option ", code), func(t *testing.T) {
				name, backend := behind(t, refuse)
				s := start(t, exporter(name, tracerinit.WithCompression()))
				got := s.send(t, 100)
				if got.Dropped.Refused != 100 || backend.Attempts.Load() != 2 || !strings.Contains(got.LastError, "WithCompression") {
					t.Errorf("%d requests, %+v", backend.Attempts.Load(), got)
				}
			})
		}
	}
}

// Answers that no receiver gives are no receipt.
func TestAnswersThatAreNoReceipt(t *testing.T) {
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<!DOCTYPE html><html><title>Log in</title></html>")
		}, "HTML"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example/?next=1", http.StatusTemporaryRedirect)
		}, "redirect"},
		"a permanent redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere/", http.StatusPermanentRedirect)
		}, "redirect"},
		"a page with a status": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<html><head><title>Blocked by policy 7</title></head></html>")
		}, "Blocked by policy 7"},
		"another path": {http.NotFound, "is the path of the endpoint right?"},
	} {
		for kind, exporter := range overHTTP {
			t.Run(kind+", "+what, func(t *testing.T) {
				name, backend := behind(t, func(w http.ResponseWriter, r *http.Request) bool { c.answer(w, r); return true })
				s := start(t, exporter(name))
				got := s.send(t, 50)
				if got.Dropped.Refused != 50 || backend.Attempts.Load() != 1 || !strings.Contains(got.LastError, c.want) {
					t.Errorf("%d requests, %+v", backend.Attempts.Load(), got)
				}
			})
		}
	}
}

// A balancer of connections whose first instance is busy: the next try is on a new connection.
func TestABusyInstanceIsLeft(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		for kind, exporter := range map[string]func(string) tracerinit.Exporter{
			"OTLP":   func(url string) tracerinit.Exporter { return tracerinit.OTLPHTTP(url, tracerinit.WithRetry(retry)) },
			"thrift": func(url string) tracerinit.Exporter { return tracerinit.JaegerHTTP(url, tracerinit.WithRetry(retry)) },
		} {
			t.Run(fmt.Sprint(kind, " ", code), func(t *testing.T) {
				var mu sync.Mutex
				busy := ""
				_, backend := behind(t, func(w http.ResponseWriter, r *http.Request) bool {
					mu.Lock()
					defer mu.Unlock()
					if busy == "" {
						busy = r.RemoteAddr
					}
					if busy != r.RemoteAddr {
						return false
					}
					w.WriteHeader(code)
					return true
				})
				s := start(t, exporter(backend.URL)) // without a proxy, whose connections are others
				got := s.send(t, 50)
				if s.all(t, got, &backend.Taken); got.Failures != 1 {
					t.Errorf("%d failures", got.Failures)
				}
			})
		}
	}
}

func TestAPoisonousBatchHoldsUpNoOther(t *testing.T) {
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		drops  func(tracerinit.Dropped) uint64
	}{
		"500":       {sink.Refuse(http.StatusInternalServerError), func(d tracerinit.Dropped) uint64 { return d.Refused }},
		"400":       {sink.Refuse(http.StatusBadRequest), func(d tracerinit.Dropped) uint64 { return d.Refused }},
		"502":       {sink.Refuse(http.StatusBadGateway), nil},
		"504":       {sink.Refuse(http.StatusGatewayTimeout), nil},
		"a crash":   {sink.Reset, nil},
		"no answer": {sink.Hang, nil},
	} {
		for kind, exporter := range overHTTP {
			t.Run(kind+", "+what, func(t *testing.T) {
				t.Parallel()
				name, backend := behind(t, func(w http.ResponseWriter, r *http.Request) bool {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					if !bytes.Contains(body, []byte(poison)) {
						return false
					}
					c.answer(w, r)
					return true
				})
				s := startWithin(t, exporter(name, tracerinit.WithoutCompression()), time.Second)
				poisoned(t, s, &backend.Taken, c.drops)
			})
		}
	}
}
