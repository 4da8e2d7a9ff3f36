package traffic_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// rawRequests are bytes that clients send, well-meaning or not. All of them reach a handler.
var rawRequests = map[string]string{
	"wildcard":                closing("GET /items/7?a=b;c=%zz"),
	"HEAD":                    closing("HEAD /items/7"),
	"another method":          closing("PUT /items/7"),
	"unknown method":          closing("BREW /tree/x"),
	"lower case":              closing("get /tree/x"),
	"redirect to a slash":     closing("GET /tree"),
	"below a tree":            closing("GET /tree/a/b"),
	"path to be cleaned":      closing("GET /a/../items//7"),
	"end of a path":           closing("GET /exact/"),
	"behind that end":         closing("GET /exact/x"),
	"rest":                    closing("GET /rest/a/b/c"),
	"encoded slash":           closing("GET /items/a%2Fb"),
	"encoded zero":            closing("GET /items/%00"),
	"nested":                  closing("GET /nested/deep/4"),
	"nested and stripped":     closing("GET /stripped/deep/4"),
	"nothing nested":          closing("GET /nested/none"),
	"CONNECT to a path":       closing("CONNECT /items/../x"),
	"CONNECT to redirect":     closing("CONNECT /tree"),
	"CONNECT to a host":       "CONNECT host.example:443 HTTP/1.1\r\nHost: host.example:443\r\nConnection: close\r\n\r\n",
	"host":                    "GET /h/5 HTTP/1.1\r\nHost: example.com:80\r\nConnection: close\r\n\r\n",
	"absolute URL":            "GET http://example.com/h/5?a=b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
	"HTTP/1.0":                "GET /items/7 HTTP/1.0\r\n\r\n",
	"pipelined":               "GET /items/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /items/2 HTTP/1.1\r\nHost: h\r\n\r\n" + closing("GET /items/3"),
	"large header":            "GET /items/7 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Large: " + strings.Repeat("x", 20_000) + "\r\n\r\n",
	"trailers":                chunked("Trailer: X-A\r\n", "3\r\nabc\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"),
	"unannounced trailers":    chunked("", "3\r\nabc\r\n0\r\nX-A: 1\r\n\r\n"),
	"chunk that is none":      chunked("", "3;a=b\r\nabc\r\nZZ\r\n"),
	"body cut short":          "POST /tree/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc",
	"two lengths":             chunked("Content-Length: 4\r\n", "0\r\n\r\n"+closing("GET /items/smuggled")),
	"expected continue":       "POST /tree/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
	"continue nobody expects": "POST /exact/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
}

func closing(line string) string { return line + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" }

func chunked(header, body string) string {
	return "POST /tree/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + header + "Transfer-Encoding: chunked\r\n\r\n" + body
}

func TestRawRequestsAreAnsweredAsBare(t *testing.T) {
	for name, raw := range rawRequests {
		for place, around := range map[string]bool{"around": true, "inside": false} {
			if !around && (strings.HasPrefix(name, "nothing") || strings.HasPrefix(name, "another") || name == "behind that end" ||
				strings.HasPrefix(name, "CONNECT") || strings.HasPrefix(name, "redirect") || name == "path to be cleaned") {
				continue // answered by the mux
			}
			t.Run(name+"/"+place, func(t *testing.T) {
				equal(t, func(w *world) {
					w.inside = !around
					use := nothing
					if !around {
						use = w.handler
					}
					conn := w.dial(w.server(w.nested(use)).Listener.Addr())
					if _, err := io.WriteString(conn, raw); err != nil {
						w.t.Fatal(err)
					}
					if name == "body cut short" {
						if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
							w.t.Fatal(err)
						}
					}
					answer, err := io.ReadAll(conn)
					w.saw("client", "%q %v", date.ReplaceAllString(string(answer), ""), err)
				})
			})
		}
	}
}

var date = regexp.MustCompile(`Date: [^\r\n]*\r\n`)

// nested is a mux of muxes, whose handlers note all that they are given.
func (w *world) nested(use func(http.Handler) http.Handler) http.Handler {
	mux, below, stripped := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	page := use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/exact/" && r.Method == http.MethodPost {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		body, err := io.ReadAll(r.Body)
		w.saw("server", "%s %s %q %s %s length %d %v close %v pattern %q id %q rest %q", r.Method, r.URL, r.RequestURI, r.Host, r.Proto,
			r.ContentLength, r.TransferEncoding, r.Close, r.Pattern, r.PathValue("id"), r.PathValue("rest"))
		w.saw("server", "header %v, trailer %v, body %q %v, form %v", fields(r.Header), r.Trailer, body, errors.Unwrap(err) == nil, r.ParseForm())
		fmt.Fprint(rw, r.URL.Path)
	}))
	for _, pattern := range []string{"GET /items/{id}", "/tree/", "example.com/h/{id}", "/exact/{$}", "/rest/{rest...}"} {
		mux.Handle(pattern, page)
	}
	below.Handle("/nested/deep/{id}", page)
	stripped.Handle("/deep/{id}", page)
	mux.Handle("/nested/", below)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", stripped))
	return mux
}
