package tracerinit_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/tracerinit"
)

// listener serves each connection in a goroutine of its own until the test ends.
func listener(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() { ln.Close(); served.Wait() })
	served.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			served.Go(func() { defer c.Close(); serve(c) })
		}
	})
	return ln.Addr().String()
}

// splice copies both ways until one side ends.
func splice(a net.Conn, from io.Reader, to string) {
	b, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); io.Copy(b, from); b.Close() }()
	io.Copy(a, b)
	a.Close()
	<-done
}

// httpProxy serves CONNECT and requests with whole URLs, all of which it takes to addr.
func httpProxy(addr, auth string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		r, err := http.ReadRequest(in)
		switch {
		case err != nil:
			return
		case r.Header.Get("Proxy-Authorization") != auth:
			fmt.Fprintf(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			return
		case r.Method == http.MethodConnect:
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n\r\n")
			splice(c, in, addr)
			return
		}
		b, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer b.Close()
		r.Header.Set("Connection", "close")
		r.Write(b)
		io.Copy(c, b)
	}
}

// socks5 is a SOCKS proxy, https://www.rfc-editor.org/rfc/rfc1928, that takes every connection to addr.
func socks5(addr string) func(net.Conn) {
	return func(c net.Conn) {
		head := make([]byte, 2)
		io.ReadFull(c, head)
		io.CopyN(io.Discard, c, int64(head[1]))
		c.Write([]byte{5, 0})
		name := make([]byte, 5)
		io.ReadFull(c, name)
		rest := make([]byte, int(name[4])+2)
		io.ReadFull(c, rest)
		reply := append([]byte{5, 0, 0, 1, 127, 0, 0, 1}, binary.BigEndian.AppendUint16(nil, 1)...)
		c.Write(reply)
		splice(c, c, addr)
	}
}

func TestExportersUseTheProxyTheyAreGiven(t *testing.T) {
	plain := newBackend(t, nil)
	secure := &backend{}
	secure.Server = httptest.NewUnstartedServer(secure)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	roots := tracerinit.WithTLS(secure.Client().Transport.(*http.Transport).TLSClientConfig)
	const basic = "Basic am9lOnMzY3JldC1wYXNz" // joe:s3cret-pass
	for _, c := range []struct{ proxy, user, auth string }{
		{"http", "", ""}, {"http", "joe:s3cret-pass@", basic}, {"https", "", ""}, {"socks5", "", ""}, {"socks5h", "", ""},
	} {
		for scheme, b := range map[string]*backend{"http": plain, "https": secure} {
			t.Run(scheme+" through "+c.proxy+" "+c.user, func(t *testing.T) {
				before, addr := len(b.seen()), b.Listener.Addr().String()
				serve := httpProxy(addr, c.auth)
				if strings.HasPrefix(c.proxy, "socks") {
					serve = socks5(addr)
				}
				if inner := serve; c.proxy == "https" {
					serve = func(c net.Conn) { inner(tls.Server(c, secure.TLS)) }
				}
				proxy, err := url.Parse(c.proxy + "://" + c.user + listener(t, serve))
				if err != nil {
					t.Fatal(err)
				}
				through := tracerinit.WithProxy(http.ProxyURL(proxy))
				l := open(t, tracerinit.OTLPHTTP(scheme+"://example.com", roots, through), tracerinit.Queue{})
				for range 2 {
					l.make(3)
					l.Flush(within(t, time.Minute))
				}
				if s := l.Stats(); s.Delivered != 6 || s.Failures != 0 || len(b.seen()) != before+2 {
					t.Errorf("%+v", s)
				}
				if last := b.seen()[before]; scheme == "https" && last.ProtoMajor != 2 {
					t.Errorf("spoke %s to the endpoint", last.Proto)
				}
				l.Shutdown(ended())
			})
		}
	}
}

func TestAProxyThatRefusesIsNamedWithoutItsPassword(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint, want string
		serve          func(net.Conn)
	}{
		"https":    {"https://example.com", "407 Proxy Authentication Required", httpProxy("", "nobody")},
		"http":     {"http://example.com", "a proxy says so: HTTP_PROXY", httpProxy("", "nobody")},
		"hangs up": {"https://example.com", "the proxy 127.0.0.1:", func(net.Conn) {}},
		"no proxy": {"https://example.com", "malformed HTTP", func(c net.Conn) { io.WriteString(c, "220 mail\r\n"); io.Copy(io.Discard, c) }},
		"talks on": {"https://example.com", "more than its answer", func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n220 mail\r\n"); io.Copy(io.Discard, c) }},
		"never ends": {"https://example.com", "larger than 64 KiB", func(c net.Conn) {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err == nil {
				_, err = io.WriteString(c, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")
			}
		}},
		"says a word": {"http://example.com", "***", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 407 No\r\nContent-Length: 17\r\n\r\nnot hunter-three!")
			io.Copy(io.Discard, c)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy, _ := url.Parse("http://joe:hunter-three@" + listener(t, c.serve))
			through := tracerinit.WithProxy(http.ProxyURL(proxy))
			l := open(t, tracerinit.OTLPHTTP(c.endpoint, through, tracerinit.WithRetry(tracerinit.Retry{Limit: -1})), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if said := l.Stats().LastError; !strings.Contains(said, c.want) || strings.Contains(said, "hunter") {
				t.Errorf("%q does not say %q", said, c.want)
			}
		})
	}
}

// A server that speaks first inside TLS is something that net/http writes about to the standard log.
func TestAServerThatSpeaksFirstInATunnelIsNotLogged(t *testing.T) {
	var standard lockedBuffer
	was := log.Writer()
	log.SetOutput(&standard)
	defer log.SetOutput(was)
	b := httptest.NewTLSServer(nil)
	defer b.Close()
	config := &tls.Config{Certificates: b.TLS.Certificates}
	for name, greeting := range map[string]string{"mail": "220 mail.example.com ESMTP\r\n", "gRPC": settings} {
		t.Run(name, func(t *testing.T) {
			addr := listener(t, func(c net.Conn) {
				s := tls.Server(c, config)
				io.WriteString(s, greeting)
				io.Copy(io.Discard, s)
			})
			proxy, _ := url.Parse("http://" + listener(t, httpProxy(addr, "")))
			roots := tracerinit.WithTLS(b.Client().Transport.(*http.Transport).TLSClientConfig)
			through := tracerinit.WithProxy(http.ProxyURL(proxy))
			l := open(t, tracerinit.OTLPHTTP("https://example.com", roots, through, tracerinit.WithRetry(tracerinit.Retry{Limit: -1})), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if s := l.Stats(); s.Dropped.Failed != 1 || s.LastError == "" {
				t.Errorf("%+v", s)
			}
			l.Shutdown(ended())
		})
	}
	if said := standard.String(); said != "" {
		t.Errorf("written to the standard log: %s", said)
	}
}
