package traffic_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

const large = 16 << 20

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func TestLargeUploadsPassUnchanged(t *testing.T) {
	payload := random(large)
	for name, start := range starts() {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server, client := start(w, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					w.saw("server", "length %d, %s, %v", r.ContentLength, digest(body), err)
					fmt.Fprint(rw, len(body))
				}))
				req, _ := http.NewRequest(http.MethodPut, server.URL, bytes.NewReader(payload))
				w.do(client, req)
				chunked, _ := http.NewRequest(http.MethodPut, server.URL, io.MultiReader(bytes.NewReader(payload)))
				w.do(client, chunked)
			})
		})
	}
}

func TestLargeDownloadsPassUnchanged(t *testing.T) {
	payload := random(large)
	file := filepath.Join(t.TempDir(), "large.bin")
	if err := os.WriteFile(file, payload, 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(file, when, when); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(rw http.ResponseWriter, r *http.Request) { http.ServeFile(rw, r, file) })
	mux.HandleFunc("/copy", func(rw http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(file)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		_, _ = io.Copy(rw, f)
	})
	mux.HandleFunc("/writes", func(rw http.ResponseWriter, _ *http.Request) {
		for chunk := range chunks(payload, 100_000) {
			_, _ = rw.Write(chunk)
		}
	})
	for name, start := range starts() {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server, client := start(w, mux)
				for _, path := range []string{"/file", "/copy", "/writes"} {
					w.get(client, server.URL+path)
				}
			})
		})
	}
}

func starts() map[string]func(*world, http.Handler) (*httptest.Server, *http.Client) {
	return map[string]func(*world, http.Handler) (*httptest.Server, *http.Client){
		"HTTP1": func(w *world, h http.Handler) (*httptest.Server, *http.Client) {
			return w.server(h), w.client(&http.Transport{})
		},
		"HTTP2": (*world).tlsServer,
		"h2c":   (*world).h2c,
		"proxy": func(w *world, h http.Handler) (*httptest.Server, *http.Client) {
			return w.proxy(w.server(h).URL), w.client(&http.Transport{})
		},
	}
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			if !yield(b[:min(n, len(b))]) {
				return
			}
			b = b[min(n, len(b)):]
		}
	}
}

func TestRangesAndConditionsPassUnchanged(t *testing.T) {
	content := random(10_000)
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	files := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Etag", `"v1"`)
		http.ServeContent(rw, r, "data.bin", when, bytes.NewReader(content))
	})
	for name, start := range starts() {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server, client := start(w, files)
				for _, header := range [][]string{
					{"Range", "bytes=100-199"},
					{"Range", "bytes=-500"},
					{"Range", "bytes=20000-"},
					{"Range", "bytes=0-9", "If-Range", `"v1"`},
					{"Range", "bytes=0-9", "If-Range", `"v0"`},
					{"If-None-Match", `"v1"`},
					{"If-Modified-Since", when.Format(http.TimeFormat)},
				} {
					w.get(client, server.URL, header...)
				}
				head, _ := http.NewRequest(http.MethodHead, server.URL, nil)
				w.do(client, head)
			})
		})
	}
}

func TestMultipartBodiesPassUnchanged(t *testing.T) {
	equal(t, func(w *world) {
		server := w.server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if err := r.ParseMultipartForm(1 << 10); err != nil {
				w.saw("server", "%v", err)
				return
			}
			f, header, err := r.FormFile("file")
			if err != nil {
				w.saw("server", "%v", err)
				return
			}
			defer f.Close()
			body, err := io.ReadAll(f)
			w.saw("server", "%s=%s %s %v", "field", r.FormValue("field"), header.Filename, digest(body))
			w.saw("server", "%v", err)
		}))
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		_ = form.WriteField("field", "value")
		part, _ := form.CreateFormFile("file", "a.bin")
		_, _ = part.Write(random(1 << 20))
		_ = form.Close()
		req, _ := http.NewRequest(http.MethodPost, server.URL, &body)
		req.Header.Set("Content-Type", form.FormDataContentType())
		w.do(w.client(&http.Transport{}), req)
	})
}

// A large upload is spooled to a temporary file, which net/http removes when the request ends.
func TestMultipartUploadsLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	equal(t, func(w *world) {
		server := w.server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w.saw("server", "%v", r.ParseMultipartForm(1))
			spooled, _ := os.ReadDir(dir)
			w.saw("server", "%d files while it runs", len(spooled))
		}))
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, _ := form.CreateFormFile("file", "a.bin")
		_, _ = part.Write(random(12 << 20))
		_ = form.Close()
		req, _ := http.NewRequest(http.MethodPost, server.URL, &body)
		req.Header.Set("Content-Type", form.FormDataContentType())
		w.do(w.client(&http.Transport{}), req)
		server.Close()
		left, _ := os.ReadDir(dir)
		w.saw("server", "%d files after it", len(left))
	})
}

func TestRedirectsAndCookiesPassUnchanged(t *testing.T) {
	equal(t, func(w *world) {
		r := chi.NewRouter()
		r.Post("/old", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/new", http.StatusTemporaryRedirect)
		})
		r.Post("/new", func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.saw("server", "%s %v, referer %q", body, err, withoutPorts(r.Referer()))
			http.SetCookie(rw, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(rw, &http.Cookie{Name: "b", Value: "2"})
			rw.WriteHeader(http.StatusNoContent)
		})
		r.Get("/loop", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/loop", http.StatusFound) })
		server := w.server(r)
		client := w.client(&http.Transport{})
		req, _ := http.NewRequest(http.MethodPost, server.URL+"/old", strings.NewReader("again"))
		w.do(client, req)
		w.get(client, server.URL+"/loop")
		w.get(client, server.URL+"/nowhere")
	})
}

func TestCompressedBodiesPassUnchanged(t *testing.T) {
	equal(t, func(w *world) {
		text := strings.Repeat("compress me ", 2000)
		byHand := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			fmt.Fprint(z, text)
			_ = z.Close()
		})
		byChi := middleware.Compress(5)(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(rw, text)
		}))
		client := w.client(&http.Transport{})
		for _, h := range []http.Handler{byHand, byChi} {
			server := w.server(h)
			w.get(client, server.URL)
			w.get(client, server.URL, "Accept-Encoding", "identity")
		}
	})
}

func TestTimeoutsEndRequestsAsBare(t *testing.T) {
	equal(t, func(w *world) {
		late := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		server := w.server(http.TimeoutHandler(late, 20*time.Millisecond, "too slow"))
		w.get(w.client(&http.Transport{}), server.URL)

		impatient := w.client(&http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond})
		w.get(impatient, w.server(late).URL)

		deadline := w.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			controller := http.NewResponseController(rw)
			w.saw("server", "write deadline: %v", controller.SetWriteDeadline(time.Now().Add(time.Minute)))
			w.saw("server", "read deadline: %v", controller.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
			_, err := io.ReadAll(r.Body)
			w.saw("server", "timed out: %v", errors.Is(err, os.ErrDeadlineExceeded))
		}))
		conn := w.dial(deadline.Listener.Addr())
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12")
		answer, err := io.ReadAll(conn)
		w.saw("client", "%.20s %v", answer, err)
	})
}

func TestUploadTooLarge(t *testing.T) {
	equal(t, func(w *world) {
		limited := http.MaxBytesHandler(w.handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			w.saw("server", "%v", err)
			http.Error(rw, "too large", http.StatusRequestEntityTooLarge)
		})), 1000)
		server := httptest.NewServer(limited)
		w.later(server.Close)
		req, _ := http.NewRequest(http.MethodPost, server.URL, bytes.NewReader(random(5000)))
		w.do(w.client(&http.Transport{}), req)
	})
}

// What goes over the wire is the same to the byte.
func TestTheWireIsTheSameToTheByte(t *testing.T) {
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.Header()["Date"] = nil
		switch r.URL.Path {
		case "/flushed":
			fmt.Fprint(rw, "one")
			rw.(http.Flusher).Flush()
			fmt.Fprint(rw, "two")
		case "/empty":
		case "/nothing":
			rw.WriteHeader(http.StatusNoContent)
		case "/raw":
			conn, buffered, err := rw.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			fmt.Fprint(buffered, "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok")
			_ = buffered.Flush()
		default:
			fmt.Fprint(rw, "hello ", r.URL.Path)
		}
	})
	equal(t, func(w *world) {
		server := w.server(handler)
		for _, request := range []string{
			"GET / HTTP/1.0\r\n\r\n",
			"GET /flushed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"GET /flushed HTTP/1.0\r\n\r\n",
			"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"GET /raw HTTP/1.1\r\nHost: x\r\n\r\n",
			"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + // and pipelined:
				"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"GET /bad\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
		} {
			conn := w.dial(server.Listener.Addr())
			fmt.Fprint(conn, request)
			answer, err := io.ReadAll(conn)
			w.saw("client", "%q: %q %v", request, answer, err)
		}
	})
}

func TestClientUploadFails(t *testing.T) {
	equal(t, func(w *world) {
		entered := make(chan struct{})
		server := w.server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			_, err := io.ReadAll(r.Body)
			w.saw("server", "whole: %v", err == nil)
		}))
		broken := errors.New("the disk is gone")
		body := io.MultiReader(bytes.NewReader(random(1<<16)), failing{entered, broken})
		req, _ := http.NewRequest(http.MethodPost, server.URL, body)
		_, err := w.client(&http.Transport{}).Do(req)
		w.saw("client", "its own error: %v, %s", errors.Is(err, broken), withoutPorts(err.Error()))
	})
}

type failing struct {
	after <-chan struct{}
	err   error
}

func (f failing) Read([]byte) (int, error) {
	<-f.after
	return 0, f.err
}
