package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	maxConns  = 1_000 // of one port
	noMetrics = "OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none"
	advice    = " Metrics and logs are not taken: set " + noMetrics + ", or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT alone."
)

func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // of clients that break off
	}
}

// shutdown waits for requests that are being served, and then breaks them off.
func (s webServer) shutdown(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close()
	}
	_ = s.listener.Close() // if it was never served
}

// only passes on requests to one path. It answers others with where spans go, and with advice.
func only(h http.Handler, path, advice string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.Error(w, "spanview takes spans at "+path+" here."+advice, http.StatusNotFound)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// cors lets pages of the origins that were named send spans; without any it changes nothing.
type cors struct{ origins []string }

func newCORS(origins []string) cors { return cors{origins} }

func (c cors) wrap(h http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || !slices.Contains(c.origins, origin) {
			h.ServeHTTP(w, r)
			return
		}
		w = corsWriter{w, origin}
		if r.Method == http.MethodOptions {
			header := w.Header()
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Allow-Methods", http.MethodPost)
			headers := r.Header.Get("Access-Control-Request-Headers")
			header.Set("Access-Control-Allow-Headers", "Content-Type, Content-Encoding, "+headers)
			header.Set("Access-Control-Max-Age", "600")
			header.Add("Vary", "Origin")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		inner := r.Clone(r.Context())
		inner.Header.Del("Origin") // it is allowed: the view need not refuse it
		inner.Header.Del("Sec-Fetch-Site")
		h.ServeHTTP(w, inner)
	})
}

// corsWriter says that the page may read the answer, whatever else the handler says.
type corsWriter struct {
	http.ResponseWriter
	origin string
}

func (w corsWriter) WriteHeader(status int) {
	w.Header().Set("Access-Control-Allow-Origin", w.origin)
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Add("Vary", "Origin")
	w.ResponseWriter.WriteHeader(status)
}

func (w corsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// validOrigin reports whether a flag names an origin: a scheme and a host.
func validOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.User == nil
}

// limited is a listener with at most maxConns connections: further ones wait.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimited(l net.Listener) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, maxConns), closed: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, slots: l.slots}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}
