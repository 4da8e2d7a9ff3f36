package traffic_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
)

// Each event is sent only when the client has read the one before, so that a lost flush shows.
func TestServerSentEvents(t *testing.T) {
	equal(t, func(w *world) {
		acks := make(chan struct{})
		server := w.server(events(acks))
		w.listen(w.client(&http.Transport{}), server.URL, acks)
	})
}

func TestServerSentEvents_over_HTTP2(t *testing.T) {
	equal(t, func(w *world) {
		acks := make(chan struct{})
		server, client := w.tlsServer(events(acks))
		w.listen(client, server.URL, acks)
	})
}

func TestServerSentEvents_through_a_traced_reverse_proxy(t *testing.T) {
	equal(t, func(w *world) {
		acks := make(chan struct{})
		backend := w.server(events(acks))
		w.listen(w.client(&http.Transport{}), w.proxy(backend.URL).URL, acks)
	})
}

func events(acks <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			fmt.Fprintf(rw, "id: %d\ndata: tick\n\n", i)
			if i%2 == 0 {
				rw.(http.Flusher).Flush()
			} else if err := http.NewResponseController(rw).Flush(); err != nil {
				panic(err)
			}
			select {
			case <-acks:
			case <-r.Context().Done():
				return
			}
		}
	})
}

func (w *world) listen(client *http.Client, url string, acks chan<- struct{}) {
	w.t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	w.saw("client", "%s %v", resp.Status, fields(resp.Header))
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		w.saw("client", "%s", lines.Text())
		if lines.Text() == "" {
			acks <- struct{}{}
		}
	}
	w.saw("client", "end: %v", lines.Err())
}

// proxy starts a traced reverse proxy, whose client is traced too.
func (w *world) proxy(target string) *httptest.Server {
	w.t.Helper()
	backend, err := url.Parse(target)
	if err != nil {
		w.t.Fatal(err)
	}
	transport := &http.Transport{}
	w.later(transport.CloseIdleConnections)
	return w.server(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.SetXForwarded()
		},
		Transport: w.transport(transport),
		ErrorLog:  log.New(io.Discard, "", 0),
	})
}

func TestReverseProxiesPassHeadersTrailersAndErrors(t *testing.T) {
	equal(t, func(w *world) {
		backend := w.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.saw("backend", "%s %s %v %s %v trailer %v", r.Method, r.URL, fields(r.Header), digest(body), err, fields(r.Trailer))
			rw.Header().Set("Trailer", "X-Sum")
			rw.Header().Add("X-Two", "1")
			rw.Header().Add("X-Two", "2")
			rw.WriteHeader(http.StatusCreated)
			fmt.Fprint(rw, "made")
			rw.Header().Set("X-Sum", "42")
		}))
		front := w.proxy(backend.URL)
		req, _ := http.NewRequest(http.MethodPost, front.URL+"/a%2Fb/c?q=1&q=2;3", strings.NewReader("payload"))
		req.Header.Set("X-Custom", "yes")
		req.Header.Set("Connection", "X-Hop")
		req.Header.Set("X-Hop", "dropped")
		w.do(w.client(&http.Transport{}), req)
		backend.Close()
		w.get(w.client(&http.Transport{}), front.URL)
	})
}

func TestHTTP2_trailers_both_ways(t *testing.T) {
	equal(t, func(w *world) {
		server, client := w.tlsServer(withTrailers(w))
		w.sendWithTrailers(client, server.URL)
	})
}

func TestTrailersPassBothWays(t *testing.T) {
	equal(t, func(w *world) {
		server, client := w.h2c(withTrailers(w))
		w.sendWithTrailers(client, server.URL)
	})
}

func (w *world) h2c(h http.Handler) (*httptest.Server, *http.Client) {
	server := w.unstarted(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return server, w.client(&http.Transport{Protocols: protocols})
}

func withTrailers(w *world) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.saw("server", "%s %s %v, trailer %v", r.Proto, digest(body), err, fields(r.Trailer))
		rw.Header().Set("Trailer", "X-Announced")
		fmt.Fprint(rw, "answer")
		rw.Header().Set("X-Announced", "a")
		rw.Header().Set(http.TrailerPrefix+"X-Late", "b")
	})
}

func (w *world) sendWithTrailers(client *http.Client, url string) {
	w.t.Helper()
	body, send := io.Pipe()
	req, _ := http.NewRequest(http.MethodPost, url, body)
	req.Trailer = http.Header{"X-Checksum": nil}
	go func() {
		fmt.Fprint(send, "question")
		req.Trailer.Set("X-Checksum", "sum")
		send.Close()
	}()
	w.do(client, req)
}

// Both sides talk at once over one HTTP/2 stream, a line at a time.
func TestBothSidesTalkAtOnce(t *testing.T) {
	equal(t, func(w *world) {
		server, client := w.h2c(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(http.StatusOK)
			rw.(http.Flusher).Flush()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintln(rw, "echo", lines.Text())
				rw.(http.Flusher).Flush()
			}
			w.saw("server", "end %v", lines.Err())
		}))
		w.converse(client, server.URL)
	})
}

// HTTP/1.1 can do the same after EnableFullDuplex.
func TestHTTP1_full_duplex(t *testing.T) {
	equal(t, func(w *world) {
		server := w.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.saw("server", "duplex %v", http.NewResponseController(rw).EnableFullDuplex())
			rw.(http.Flusher).Flush()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintln(rw, "echo", lines.Text())
				rw.(http.Flusher).Flush()
			}
			w.saw("server", "end %v", lines.Err())
		}))
		w.converse(w.client(&http.Transport{}), server.URL)
	})
}

func (w *world) converse(client *http.Client, url string) {
	w.t.Helper()
	body, send := io.Pipe()
	req, _ := http.NewRequest(http.MethodPost, url, body)
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := range 4 {
		fmt.Fprintln(send, "line", i)
		lines.Scan()
		w.saw("client", "%s", lines.Text())
	}
	send.Close()
	w.saw("client", "more: %v %v", lines.Scan(), lines.Err())
}

func TestEarlyHintsReachTheClient(t *testing.T) {
	handler := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Link", "</style.css>; rel=preload")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.Header().Add("Link", "</app.js>; rel=preload")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.Header().Set("X-Final", "1")
		rw.WriteHeader(http.StatusNotFound)
		fmt.Fprint(rw, "gone")
	})
	for name, start := range map[string]func(*world) (*httptest.Server, *http.Client){
		"HTTP1": func(w *world) (*httptest.Server, *http.Client) { return w.server(handler), w.client(&http.Transport{}) },
		"HTTP2": func(w *world) (*httptest.Server, *http.Client) { return w.tlsServer(handler) },
		"proxy": func(w *world) (*httptest.Server, *http.Client) {
			return w.proxy(w.server(handler).URL), w.client(&http.Transport{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server, client := start(w)
				ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
					Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
						w.saw("client", "hint %d %v", code, fields(http.Header(header)))
						return nil
					},
				})
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				w.do(client, req)
			})
		})
	}
}

func TestExpectContinueIsAnsweredAsBare(t *testing.T) {
	for name, refuse := range map[string]bool{"accepted": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server := w.server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if refuse {
						http.Error(rw, "no", http.StatusExpectationFailed)
						return
					}
					body, err := io.ReadAll(r.Body)
					w.saw("server", "%s %v", digest(body), err)
				}))
				conn := w.dial(server.Listener.Addr())
				fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
				in := bufio.NewReader(conn)
				status, err := in.Peek(len("HTTP/1.1 100"))
				w.saw("client", "%s %v", status, err)
				if !refuse {
					_, _ = in.ReadString('\n')
					_, _ = in.ReadString('\n')
					fmt.Fprint(conn, "12345")
				}
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					w.t.Fatal(err)
				}
				w.note(resp)
			})
		})
	}
}

// A forward proxy tunnels TLS by CONNECT over a hijacked connection.
func TestCONNECT_tunnel(t *testing.T) {
	equal(t, func(w *world) {
		origin := w.unstarted(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "inside") }))
		origin.StartTLS()
		proxy := w.server(http.HandlerFunc(tunnel))
		proxyURL, _ := url.Parse(proxy.URL)
		roots := origin.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		w.get(w.client(&http.Transport{Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{RootCAs: roots}}), origin.URL)
	})
}

func tunnel(rw http.ResponseWriter, r *http.Request) {
	upstream, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	conn, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(upstream, buffered)
		_ = upstream.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, upstream)
	conn.Close()
	<-done
}

func TestAbortedHandlersBreakTheConnection(t *testing.T) {
	equal(t, func(w *world) {
		server := w.server(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, strings.Repeat("x", 10_000))
			_ = http.NewResponseController(rw).Flush()
			panic(http.ErrAbortHandler)
		}))
		w.get(w.client(&http.Transport{}), server.URL)
	})
}

func TestClientHangsUp(t *testing.T) {
	equal(t, func(w *world) {
		entered := make(chan struct{})
		server := w.server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			w.saw("server", "%v", r.Context().Err())
		}))
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-entered
			cancel()
		}()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		_, err := w.client(&http.Transport{}).Do(req)
		w.saw("client", "canceled: %v, %s", errors.Is(err, context.Canceled), withoutPorts(err.Error()))
	})
}
