package traffic_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

// TestRandomHandlersAreSeenAsBare runs handlers that do what comes to their mind with their writer, behind middlewares that wrap it,
// on both sides of the kit. Over HTTP/2 a handler sees by chance whether its client has left a stream that is malformed
// or over, also without the kit, so there is nothing to compare.
func TestRandomHandlersAreSeenAsBare(t *testing.T) {
	equal(t, func(w *world) {
		w.inside = true
		server, client := starts()["HTTP1"](w, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			seed, _ := strconv.ParseUint(strings.Trim(r.URL.Path, "/"), 10, 64)
			random := rand.New(rand.NewPCG(seed, 1))
			inner := wrappers[random.IntN(len(wrappers))](http.HandlerFunc(
				func(rw http.ResponseWriter, r *http.Request) { w.improvise(random, rw, r) }))
			wrappers[random.IntN(len(wrappers))](w.handler(inner)).ServeHTTP(rw, r)
		}))
		for seed := range 300 {
			w.improvised(client, server, seed)
		}
	})
}

func (w *world) improvised(client *http.Client, server *httptest.Server, seed int) {
	w.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	switch seed % 3 {
	case 1:
		method = http.MethodHead
	case 2:
		method, body = http.MethodPost, strings.NewReader(strings.Repeat("in", 1500))
	}
	req, err := http.NewRequest(method, server.URL+"/"+strconv.Itoa(seed), body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Close = true // a client sends a request again if a connection that it has used before fails
	w.do(client, req)
	w.handlers.Wait()
}

type unwrapping struct{ http.ResponseWriter }

func (u unwrapping) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// wrappers put writers of several kinds around or behind the kit's.
var wrappers = []func(http.Handler) http.Handler{
	nothing,
	middleware.Compress(5),
	func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "late") },
	func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(struct{ http.ResponseWriter }{rw}, r)
		})
	},
	func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { h.ServeHTTP(unwrapping{rw}, r) })
	},
	func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(middleware.NewWrapResponseWriter(rw, r.ProtoMajor), r)
		})
	},
}

type brokenSource struct{}

func (brokenSource) Read([]byte) (int, error) { return 0, errors.New("no more") }

// improvise does some of what a handler can do.
func (w *world) improvise(random *rand.Rand, rw http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(rw)
	steps := []func(){
		func() { n, err := rw.Write(make([]byte, random.IntN(9000))); w.saw("server", "wrote %d %v", n, err) },
		func() { n, err := io.WriteString(rw, "text"); w.saw("server", "wrote %d %v", n, err) },
		func() { rw.WriteHeader([]int{200, 201, 204, 304, 404, 500, 503}[random.IntN(7)]) },
		func() { rw.WriteHeader([]int{102, 103}[random.IntN(2)]) },
		func() { w.saw("server", "flush %v", control.Flush()) },
		func() {
			if f, ok := rw.(http.Flusher); ok {
				f.Flush()
			}
		},
		func() {
			n, err := io.Copy(rw, strings.NewReader(strings.Repeat("x", random.IntN(5000))))
			w.saw("server", "copied %d %v", n, err)
		},
		func() {
			n, err := io.Copy(rw, io.MultiReader(strings.NewReader("abc"), brokenSource{}))
			w.saw("server", "copied %d %v", n, err)
		},
		func() { rw.Header().Set("X-A", strconv.Itoa(random.IntN(9))) },
		func() { rw.Header().Set("Content-Length", strconv.Itoa(random.IntN(20))) },
		func() { rw.Header().Set("Trailer", "X-End") },
		func() { rw.Header().Set("X-End", "1"); rw.Header().Set(http.TrailerPrefix+"X-Late", "2") },
		func() { body, err := io.ReadAll(r.Body); w.saw("server", "read %d %v", len(body), err) },
		func() { w.saw("server", "duplex %v", control.EnableFullDuplex()) },
		func() { http.ServeContent(rw, r, "a.txt", time.Time{}, strings.NewReader("content")) },
		func() {
			if random.IntN(3) == 0 {
				panic([]any{"boom", http.ErrAbortHandler, io.EOF}[random.IntN(3)])
			}
		},
	}
	for range 1 + random.IntN(7) {
		steps[random.IntN(len(steps))]()
	}
}
