package traffic_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// proxyShapes are the ways in which reverse proxies are set up.
var proxyShapes = map[string]func(w *world, backend *url.URL) *httputil.ReverseProxy{
	"Director": func(_ *world, backend *url.URL) *httputil.ReverseProxy {
		return httputil.NewSingleHostReverseProxy(backend)
	},
	"Rewrite": func(w *world, backend *url.URL) *httputil.ReverseProxy {
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			w.saw("rewrite", "%v %v", fields(r.In.Header), fields(r.Out.Header))
			r.SetURL(backend)
			r.SetXForwarded()
		}}
	},
	"flushing": func(_ *world, backend *url.URL) *httputil.ReverseProxy {
		p := httputil.NewSingleHostReverseProxy(backend)
		p.FlushInterval = -1
		return p
	},
	"modifying": func(w *world, backend *url.URL) *httputil.ReverseProxy {
		p := httputil.NewSingleHostReverseProxy(backend)
		p.ModifyResponse = func(r *http.Response) error {
			w.saw("modify", "%d %v", r.StatusCode, fields(r.Header))
			if r.Request.URL.Path == "/refused" {
				return errors.New("not this one")
			}
			return nil
		}
		return p
	},
}

func TestReverseProxiesPassRequestsAsBare(t *testing.T) {
	for shape, build := range proxyShapes {
		for _, path := range []string{"/plain", "/trailers", "/hints", "/upgrade", "/refused", "/gone"} {
			t.Run(shape+path, func(t *testing.T) {
				equal(t, func(w *world) {
					backend, err := url.Parse(proxied(w).URL)
					if err != nil {
						w.t.Fatal(err)
					}
					if path == "/gone" {
						lis := w.listener()
						backend.Host = lis.Addr().String()
						lis.Close()
					}
					w.through(build(w, backend), path)
				})
			})
		}
	}
}

// through sends a request through a proxy, as bytes.
func (w *world) through(p *httputil.ReverseProxy, path string) {
	transport := &http.Transport{}
	w.later(transport.CloseIdleConnections)
	p.Transport = w.transport(transport)
	p.ErrorLog = log.New(io.Discard, "", 0)
	p.ErrorHandler = func(rw http.ResponseWriter, r *http.Request, err error) {
		w.saw("error handler", "%s %v", r.URL.Path, withoutPorts(err.Error()))
		rw.WriteHeader(http.StatusBadGateway)
	}
	conn := w.dial(w.server(p).Listener.Addr())
	header := "Connection: close\r\nTe: trailers\r\n"
	if path == "/upgrade" {
		header = "Connection: Upgrade\r\nUpgrade: echo\r\n"
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, header)
	answer := bufio.NewReader(conn)
	if path == "/upgrade" {
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = answer.ReadString('\n'); err != nil {
				w.t.Fatal(err)
			}
		}
		fmt.Fprintln(conn, "hello")
	}
	all, err := io.ReadAll(answer)
	w.saw("client", "%q %v", withoutPorts(date.ReplaceAllString(string(all), "")), err)
}

// proxied is what the proxies are in front of.
func proxied(w *world) *httptest.Server {
	return w.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.saw("backend", "%s %s %v", r.Method, r.URL, fields(r.Header))
		switch r.URL.Path {
		case "/trailers":
			rw.Header().Set("Trailer", "X-Sum")
			fmt.Fprint(rw, "body")
			rw.(http.Flusher).Flush()
			rw.Header().Set("X-Sum", "1")
			rw.Header().Set(http.TrailerPrefix+"X-Late", "2")
		case "/hints":
			rw.Header().Set("Link", "</style.css>")
			rw.WriteHeader(http.StatusEarlyHints)
			fmt.Fprint(rw, "after")
		case "/upgrade":
			w.echoLine(rw)
		default:
			fmt.Fprint(rw, "ok")
		}
	}))
}

func (w *world) echoLine(rw http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		w.saw("backend", "%v", err)
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	line, err := buffered.ReadString('\n')
	fmt.Fprintf(conn, "echo %s", line)
	w.saw("backend", "%q %v", line, err)
}
