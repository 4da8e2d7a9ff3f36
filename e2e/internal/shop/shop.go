// Package shop runs the project's example programs.
package shop

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// Storefront is a running examples/chi.
type Storefront struct {
	*proc.Process
	URL  string
	View jaeger.API // its page of traces
}

// StartStorefront runs examples/chi with an environment and more arguments.
func StartStorefront(t testing.TB, env []string, args ...string) *Storefront {
	t.Helper()
	path := proc.Build(t, "..", "./examples/chi", "storefront")
	p := proc.Start(t, path, env, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	url := strings.TrimSpace(strings.TrimPrefix(p.Line("storefront: http"), "storefront:"))
	url = strings.Replace(url, "localhost", "127.0.0.1", 1)
	return &Storefront{Process: p, URL: url, View: jaeger.API(url + "/debug/traces")}
}

// StartInventory runs examples/grpc at addr.
func StartInventory(t testing.TB, addr string, env []string) *proc.Process {
	t.Helper()
	path := proc.Build(t, "..", "./examples/grpc", "inventory")
	p := proc.Start(t, path, env, "-addr", addr)
	p.Line("inventory: gRPC on")
	return p
}

// Request repeats a request until the response has the given status, and returns its trace id.
func (s *Storefront) Request(t testing.TB, method, path, body string, status int, header ...string) (traceID string) {
	t.Helper()
	wait.For(t, method+" "+path+" to be answered as it should", func() (any, bool) {
		req, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err, false
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		traceID = resp.Header.Get("X-Trace-Id")
		return resp.Status, resp.StatusCode == status
	})
	if traceID == "" {
		t.Fatalf("%s %s: no trace id in the answer", method, path)
	}
	return traceID
}
