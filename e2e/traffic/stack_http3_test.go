package traffic_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// http3Server serves h over QUIC, and returns its URL and a client for it.
func (w *world) http3Server(h http.Handler) (url string, client *http.Client) {
	w.t.Helper()
	identity := httptest.NewUnstartedServer(nil)
	identity.StartTLS()
	certs, roots := identity.TLS.Certificates, identity.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	identity.Close()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		w.t.Fatal(err)
	}
	traced := w.handler(h)
	server := &http3.Server{
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certs}),
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.handlers.Add(1)
			defer w.handlers.Done()
			traced.ServeHTTP(rw, r)
		}),
	}
	served := make(chan error)
	go func() { served <- server.Serve(conn) }()
	w.later(func() {
		server.Close()
		<-served
		conn.Close()
		w.handlers.Wait()
	})
	base := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	w.later(func() { base.Close() })
	return "https://" + conn.LocalAddr().String(), &http.Client{Transport: w.transport(base), Timeout: wait.Patience}
}

func TestHTTP3(t *testing.T) {
	payload := random(1 << 20)
	equal(t, func(w *world) {
		mux := http.NewServeMux()
		mux.HandleFunc("/hello/{name}", func(rw http.ResponseWriter, r *http.Request) {
			w.saw("server", "%s %s %s", r.Proto, r.Method, r.PathValue("name"))
			fmt.Fprint(rw, "hello ", r.PathValue("name"))
		})
		mux.HandleFunc("/upload", func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.saw("server", "%s %v", digest(body), err)
			rw.Header().Set("Trailer", "X-End")
			_, _ = rw.Write(body)
			rw.Header().Set("X-End", "done")
			rw.Header().Set(http.TrailerPrefix+"X-Late", "too")
		})
		mux.HandleFunc("/hints", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Link", "</style.css>; rel=preload")
			rw.WriteHeader(http.StatusEarlyHints)
			rw.WriteHeader(http.StatusAccepted)
		})
		mux.HandleFunc("/flush", func(rw http.ResponseWriter, _ *http.Request) {
			for i := range 3 {
				fmt.Fprintln(rw, i)
				w.saw("server", "flush %v", http.NewResponseController(rw).Flush())
			}
		})
		mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		url, client := w.http3Server(mux)
		for _, path := range []string{"/hello/me", "/nowhere", "/hints", "/flush"} {
			w.get(client, url+path)
		}
		put, _ := http.NewRequest(http.MethodPut, url+"/upload", bytes.NewReader(payload))
		w.do(client, put)
		head, _ := http.NewRequest(http.MethodHead, url+"/hello/me", nil)
		w.do(client, head)
		_, err := client.Get(url + "/abort")
		w.saw("client", "aborted: %v", err != nil)
	})
}

func TestHTTP3_cancel(t *testing.T) {
	equal(t, func(w *world) {
		entered := make(chan struct{})
		url, client := w.http3Server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(rw).Flush()
			close(entered)
			<-r.Context().Done()
			w.saw("server", "%v", r.Context().Err())
		}))
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		resp, err := client.Do(req)
		if err != nil {
			w.t.Fatal(err)
		}
		<-entered
		cancel()
		_, err = io.ReadAll(resp.Body)
		w.saw("client", "canceled: %v", err != nil)
		resp.Body.Close()
		w.handlers.Wait()
	})
}

// TestHTTP3_extended_CONNECT takes over the stream, by interfaces that only quic-go knows.
func TestHTTP3_extended_CONNECT(t *testing.T) {
	equal(t, func(w *world) {
		url, client := w.http3Server(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, settles := rw.(http3.Settingser)
			streamer, streams := rw.(http3.HTTPStreamer)
			w.saw("server", "%s %s %v %v", r.Method, r.Proto, settles, streams)
			if !streams {
				return
			}
			rw.WriteHeader(http.StatusOK)
			stream, err := streamer.HTTPStream()
			if err != nil {
				w.t.Error(err)
				return
			}
			defer stream.Close()
			_, err = io.Copy(stream, stream)
			w.saw("server", "%v", err)
		}))
		req, _ := http.NewRequest(http.MethodConnect, url, io.NopCloser(bytes.NewReader([]byte("through the tunnel"))))
		req.Proto = "echo"
		w.do(client, req)
	})
}
