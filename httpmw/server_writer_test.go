package httpmw_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// wrapped is a writer as many middlewares make it: it has nothing but Unwrap.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// halfWrapped also has interfaces of its own, but not all.
type halfWrapped struct {
	wrapped
	http.Flusher
}

type hijackWrapped struct {
	wrapped
	http.Hijacker
}

type flushErrorer interface{ FlushError() error }

// TestControllersReachPastTheWrapper: what http.ResponseController finds behind wrapped writers is seen.
func TestControllersReachPastTheWrapper(t *testing.T) {
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"none":    func(w http.ResponseWriter) http.ResponseWriter { return w },
		"one":     func(w http.ResponseWriter) http.ResponseWriter { return wrapped{w} },
		"three":   func(w http.ResponseWriter) http.ResponseWriter { return wrapped{wrapped{wrapped{w}}} },
		"flusher": func(w http.ResponseWriter) http.ResponseWriter { return halfWrapped{wrapped{w}, w.(http.Flusher)} },
		"strings": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				wrapped
				io.StringWriter
			}{wrapped{w}, w.(io.StringWriter)}
		},
		"reader": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				wrapped
				io.ReaderFrom
			}{wrapped{w}, w.(io.ReaderFrom)}
		},
		"reader, strings": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				wrapped
				io.ReaderFrom
				io.StringWriter
			}{wrapped{w}, w.(io.ReaderFrom), w.(io.StringWriter)}
		},
		"hijacker": func(w http.ResponseWriter) http.ResponseWriter { return hijackWrapped{wrapped{w}, w.(http.Hijacker)} },
		"hijacker, strings": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				hijackWrapped
				io.StringWriter
			}{hijackWrapped{wrapped{w}, w.(http.Hijacker)}, w.(io.StringWriter)}
		},
		"flusher, reader": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				halfWrapped
				io.ReaderFrom
			}{halfWrapped{wrapped{w}, w.(http.Flusher)}, w.(io.ReaderFrom)}
		},
		"flusher, reader, strings": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				halfWrapped
				io.ReaderFrom
				io.StringWriter
			}{halfWrapped{wrapped{w}, w.(http.Flusher)}, w.(io.ReaderFrom), w.(io.StringWriter)}
		},
		"flush error": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				wrapped
				flushErrorer
			}{wrapped{w}, w.(flushErrorer)}
		},
		"flusher, flush error": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				halfWrapped
				flushErrorer
			}{halfWrapped{wrapped{w}, w.(http.Flusher)}, w.(flushErrorer)}
		},
		"flusher, flush error, strings": func(w http.ResponseWriter) http.ResponseWriter {
			return struct {
				halfWrapped
				flushErrorer
				io.StringWriter
			}{halfWrapped{wrapped{w}, w.(http.Flusher)}, w.(flushErrorer), w.(io.StringWriter)}
		},
		"flusher2": func(w http.ResponseWriter) http.ResponseWriter {
			return wrapped{halfWrapped{wrapped{w}, w.(http.Flusher)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			traced := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				if r.URL.Path == "/flush" {
					if err := rc.Flush(); err != nil {
						t.Error(err)
					}
					return
				}
				conn, _, err := rc.Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
				conn.Close()
			}))
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w = wrap(w)
				httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(seen http.ResponseWriter, _ *http.Request) {
					if d := cmp.Diff(interfaces(w), interfaces(seen)); d != "" {
						t.Error(d)
					}
				})).ServeHTTP(w, httptest.NewRequest("HEAD", "/interfaces", nil))
				traced.ServeHTTP(w, r)
			}))
			get(t, srv.Client(), srv.URL+"/flush")
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			io.Copy(io.Discard, bufio.NewReader(conn))
			conn.Close()
			srv.Close()
			spans := tracer.Finished()
			if len(spans) != 2 {
				t.Fatalf("%d spans", len(spans))
			}
			wantTags(t, spans[0], map[string]any{"http.streaming": true, "http.status_code": uint16(200)})
			wantTags(t, spans[1], map[string]any{"http.hijacked": true, "http.status_code": uint16(101), "error": nil})
		})
	}
}

// TestNoInterfaceIsAdded to the writer that the handler has.
func TestNoInterfaceIsAdded(t *testing.T) {
	for name, inner := range map[string]http.ResponseWriter{
		"wrapped": wrapped{httptest.NewRecorder()}, "flusher": halfWrapped{wrapped{httptest.NewRecorder()}, nil},
		"hijacker": hijackWrapped{wrapped{httptest.NewRecorder()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			h := httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = interfaces(w) }))
			h.ServeHTTP(inner, request("GET", "/"))
			if d := cmp.Diff(interfaces(inner), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestWritesPastTheWrapper go through a writer between, or to the inner one.
func TestWritesPastTheWrapper(t *testing.T) {
	tracer := spantest.New(t)
	rec := httptest.NewRecorder()
	httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		between := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
		between.Header().Set("A", "b")
		between.WriteHeader(http.StatusTeapot)
		between.Write([]byte("short"))
	})).ServeHTTP(wrapped{rec}, request("GET", "/"))
	if rec.Code != http.StatusTeapot || rec.Body.String() != "short" || rec.Header().Get("A") != "b" {
		t.Errorf("%d, %q, %v", rec.Code, rec.Body, rec.Header())
	}
	wantTags(t, one(t, tracer), map[string]any{"http.status_code": uint16(418), "http.response_size": int64(5)})
}

// TestHeaderTagsAreAsSent: net/http sends the header as it is at the first write.
func TestHeaderTagsAreAsSent(t *testing.T) {
	set := func(w http.ResponseWriter, v string) { w.Header().Set("X-A", v) }
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want any
	}{
		"WriteHeader": {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); w.WriteHeader(404); set(w, "2") }, "1"},
		"Write":       {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); w.Write(nil); set(w, "2") }, "1"},
		"WriteString": {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); io.WriteString(w, "x"); set(w, "2") }, "1"},
		"ReadFrom": {func(w http.ResponseWriter, r *http.Request) {
			set(w, "1")
			io.Copy(w, strings.NewReader("x"))
			set(w, "2")
		}, "1"},
		"Flush":   {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); w.(http.Flusher).Flush(); set(w, "2") }, "1"},
		"nothing": {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); set(w, "2") }, "2"},
		"removed": {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); w.WriteHeader(200); w.Header().Del("X-A") }, "1"},
		"added":   {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200); set(w, "1") }, nil},
		"informational": {func(w http.ResponseWriter, r *http.Request) {
			set(w, "1")
			w.WriteHeader(103)
			set(w, "2")
			w.WriteHeader(200)
		}, "2"},
		"panic": {func(w http.ResponseWriter, r *http.Request) { set(w, "1"); panic(http.ErrAbortHandler) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			srv := serve(t, httpmw.Middleware(tracer, httpmw.WithHeaderTags(nil, []string{"X-B"}), httpmw.WithHeaderTags(nil, []string{"x-a"}))(tt.h))
			resp, err := srv.Client().Get(srv.URL)
			var sent any
			if err == nil {
				resp.Body.Close()
				if resp.Header["X-A"] != nil {
					sent = resp.Header.Get("X-A")
				}
			}
			srv.Close()
			if got := one(t, tracer).Tag("http.response.header.x-a"); got != tt.want || sent != tt.want {
				t.Errorf("recorded %v, sent %v, want %v", got, sent, tt.want)
			}
		})
	}
}

// TestTraceIDIsSentOnce, whoever else sets it.
func TestTraceIDIsSentOnce(t *testing.T) {
	for _, name := range []string{"X-Trace-Id", "traceresponse", "Server-Timing"} {
		for way, write := range map[string]func(w http.ResponseWriter){
			"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(201) },
			"Write":       func(w http.ResponseWriter) { io.WriteString(w, "x") },
			"ReadFrom":    func(w http.ResponseWriter) { io.Copy(w, strings.NewReader("x")) },
			"Flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
			"nothing":     func(http.ResponseWriter) {},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				tracer, _ := newJaeger(t, always)
				m := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader(name))
				var mine string
				backend := serve(t, m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Add("Server-Timing", `db;desc="a, b";dur=3`)
					write(w)
				})))
				target, _ := url.Parse(backend.URL)
				proxy := httputil.NewSingleHostReverseProxy(target)
				proxy.Transport = backend.Client().Transport
				front := serve(t, m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mine = w.Header().Get(name)
					proxy.ServeHTTP(w, r)
				})))
				resp, _ := get(t, front.Client(), front.URL)
				want := []string{mine}
				if name == "Server-Timing" {
					want = append(want, `db;desc="a, b";dur=3`)
				}
				if d := cmp.Diff(want, resp.Header.Values(name)); d != "" || mine == "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestTraceIDsOfOthersAmongTimings: a backend may join its metrics in one value.
func TestTraceIDsOfOthersAmongTimings(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	w := handle(httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("Server-Timing"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Server-Timing", `a;dur=1,traceparent;desc="00-1-2-01" , b;desc="x,traceparent;y\",z"`)
		w.Header().Add("Server-Timing", `traceparent;desc="00-1-2-01"`)
		w.WriteHeader(200)
	})), "GET", "/")
	got := w.Header().Values("Server-Timing")
	if len(got) != 2 || got[1] != `a;dur=1, b;desc="x,traceparent;y\",z"` {
		t.Errorf("%q", got)
	}
}

// TestHandlersReplaceTheTraceID: it is theirs to say what they send.
func TestHandlersReplaceTheTraceID(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	for name, h := range map[string]http.HandlerFunc{
		"set": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Trace-Id", "mine"); w.WriteHeader(200) },
		"two": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["X-Trace-Id"] = []string{"mine", "yours"}
			w.WriteHeader(200)
		},
		"delete": func(w http.ResponseWriter, r *http.Request) { w.Header().Del("X-Trace-Id"); w.WriteHeader(200) },
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{"set": "mine", "two": "mine yours"}[name]
			got := handle(httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("X-Trace-Id"))(h), "GET", "/").Header().Values("X-Trace-Id")
			if strings.Join(got, " ") != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// settings is a private interface of a server, as those of WebTransport are.
type settings interface{ ReceivedSettings() string }

type settingsWriter struct{ http.ResponseWriter }

func (settingsWriter) ReceivedSettings() string { return "settings" }

// The handler has the server's own writer.
func TestExtendedConnectGetsTheServersOwnWriter(t *testing.T) {
	for name, change := range map[string]func(r *http.Request){
		"HTTP/3": func(r *http.Request) { r.Proto = "webtransport" },
		"HTTP/2": func(r *http.Request) { r.Header[":protocol"] = []string{"websocket"} },
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			r := request("CONNECT", "/wt")
			change(r)
			httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("X-Trace-Id"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s, ok := w.(settings); !ok || s.ReceivedSettings() != "settings" {
					t.Errorf("writer %T", w)
				}
			})).ServeHTTP(settingsWriter{httptest.NewRecorder()}, r)
			wantTags(t, one(t, tracer), map[string]any{"http.hijacked": true, "http.status_code": nil, "error": nil})
		})
	}
}
