package export

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// route is how one endpoint is reached. Tunnels through HTTP proxies are opened here and not by [http.Transport], which
// would write to the standard log about a server that speaks first inside of one.
type route struct {
	*conns
	target *url.URL
	proxy  func(*http.Request) (*url.URL, error)
	tls    *tls.Config
}

// via returns the proxy for the endpoint, or nil.
func (r *route) via(ctx context.Context) (*url.URL, error) {
	return r.proxy((&http.Request{URL: r.target}).WithContext(ctx))
}

// transportProxy is the proxy that is left to [http.Transport].
func (r *route) transportProxy(req *http.Request) (*url.URL, error) {
	u, err := r.proxy(req)
	if err != nil || r.tunnels(u) {
		return nil, err
	}
	return u, nil
}

// tunnels reports whether the endpoint is reached by CONNECT to the proxy u.
func (r *route) tunnels(u *url.URL) bool {
	return u != nil && r.target.Scheme == "https" && !isSOCKS(u)
}

func isSOCKS(u *url.URL) bool { return u != nil && strings.HasPrefix(u.Scheme, "socks") }

// dial opens a connection that speaks HTTP without TLS, or one to a proxy. What a SOCKS proxy answers is none of HTTP.
func (r *route) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	u, err := r.via(ctx)
	if err != nil || isSOCKS(u) {
		return r.dialRaw(ctx, network, addr)
	}
	return r.conns.dial(ctx, network, addr)
}

// dialTLS opens a connection that speaks TLS to the endpoint, or to its proxy if the endpoint has no TLS.
func (r *route) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	u, err := r.via(ctx)
	if err != nil {
		return nil, err
	}
	if r.target.Scheme != "https" {
		return r.conns.dialTLS(ctx, network, addr, onlyHTTP1(r.tls))
	}
	if !r.tunnels(u) {
		return r.conns.dialTLS(ctx, network, addr, r.tls)
	}
	raw, err := r.tunnel(ctx, u, addr)
	if err != nil {
		return nil, err
	}
	return r.startTLS(ctx, raw, addr, r.tls)
}

// tunnel makes the proxy connect to addr.
func (r *route) tunnel(ctx context.Context, proxy *url.URL, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := r.dialProxy(ctx, proxy)
	if err != nil {
		return nil, fmt.Errorf("the proxy %s: %w", proxy.Host, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = handshake(conn, proxy, addr)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the proxy %s: %w", proxy.Host, err)
	}
	return conn, nil
}

func (r *route) dialProxy(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	port := proxy.Port()
	switch {
	case proxy.Scheme == "https" && port == "":
		port = "443"
	case port == "":
		port = "80"
	}
	addr := net.JoinHostPort(proxy.Hostname(), port)
	raw, err := r.dialRaw(ctx, "tcp", addr)
	if err != nil || proxy.Scheme != "https" {
		return raw, err
	}
	return r.startTLS(ctx, raw, addr, onlyHTTP1(r.tls))
}

// onlyHTTP1 returns the configuration for a proxy.
func onlyHTTP1(config *tls.Config) *tls.Config {
	if config = config.Clone(); config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.NextProtos = []string{"http/1.1"}
	return config
}

// handshake sends CONNECT and reads the answer.
func handshake(conn net.Conn, proxy *url.URL, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		auth := http.Request{Header: http.Header{}}
		auth.SetBasicAuth(u.Username(), password)
		req.Header.Set("Proxy-Authorization", auth.Header.Get("Authorization"))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: conn, N: replyBytes}
	answer := bufio.NewReader(limited)
	resp, err := http.ReadResponse(answer, req)
	switch {
	case err != nil && limited.N == 0:
		return fmt.Errorf("the header of its answer is larger than %d KiB", replyBytes>>10)
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return errors.New("it answered " + resp.Status)
	case answer.Buffered() > 0:
		return errors.New("it sent more than its answer")
	}
	return nil
}
