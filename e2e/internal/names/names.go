// Package names lets tests address programs on the loopback interface by names that are not loopback, as deployments
// do: through a forward proxy on the loopback interface that the environment of the test process names.
package names

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"sync"
)

var (
	mu    sync.Mutex
	known = map[string]string{} // addresses by host:port
)

// Start runs the proxy until the process ends. It is called before anything uses HTTP, since net/http reads the
// environment once.
func Start() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {},
		Transport: &http.Transport{DialContext: dial, DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0), // tests break backends on purpose
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			connect(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	})}
	go server.Serve(ln)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		if err := os.Setenv(name, "http://"+ln.Addr().String()); err != nil {
			return err
		}
	}
	return nil
}

// Add gives an address a name, both as host:port.
func Add(name, addr string) {
	mu.Lock()
	defer mu.Unlock()
	known[name] = addr
}

func dial(ctx context.Context, network, name string) (net.Conn, error) {
	mu.Lock()
	addr, ok := known[name]
	mu.Unlock()
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// connect makes a tunnel, which clients need that speak gRPC or TLS.
func connect(w http.ResponseWriter, r *http.Request) {
	to, err := dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		io.Copy(to, buffered)
		to.Close()
	}()
	io.Copy(from, to)
}
