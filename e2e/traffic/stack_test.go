package traffic_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// stack is a server made of libraries that nobody here has written. handler returns it with use, the kit's middleware or
// nothing, where the library's own documentation puts middlewares.
type stack struct {
	name     string
	handler  func(w *world, use func(http.Handler) http.Handler) http.Handler
	requests []request
}

type request struct {
	method, path, body string
	header             []string
}

func get(path string, header ...string) request { return request{http.MethodGet, path, "", header} }

func post(path, body string, header ...string) request {
	return request{http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, header...)}
}

// placements are where users put the middleware: around the whole server, inside the router, or, by mistake or by a
// platform, both.
var placements = map[string]struct{ outside, inside bool }{"around": {true, false}, "inside": {false, true}, "twice": {true, true}}

func nothing(h http.Handler) http.Handler { return h }

// run sends the requests of s to it over a protocol.
func (s stack) run(t *testing.T, start func(*world, http.Handler) (*httptest.Server, *http.Client)) {
	for name, place := range placements {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				use := nothing
				if place.inside {
					use = w.handler
				}
				w.inside = !place.outside
				server, client := start(w, s.handler(w, use))
				for _, r := range s.requests {
					w.send(client, server.URL, r)
				}
			})
		})
	}
}

func (w *world) send(client *http.Client, base string, r request) {
	w.t.Helper()
	req, err := http.NewRequest(r.method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(r.header); i += 2 {
		req.Header.Add(r.header[i], r.header[i+1])
	}
	w.saw("client", "%s %s", r.method, r.path)
	w.do(client, req)
}

func runStacks(t *testing.T, stacks []stack) {
	for _, s := range stacks {
		for proto, start := range starts() {
			if proto == "HTTP1" || proto == "HTTP2" {
				t.Run(s.name+"/"+proto, func(t *testing.T) { s.run(t, start) })
			}
		}
	}
}
