package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/httpmw"
)

// layers are the middlewares or transports on one side of a request, from the outside to the inside.
type layers []string

const (
	ofOtel = "otelhttp"
	ofKit  = "httpmw"
)

func otelhttpOptions(tr tracing) []otelhttp.Option {
	return []otelhttp.Option{otelhttp.WithTracerProvider(tr), otelhttp.WithPropagators(tr)}
}

func (l layers) handler(tr tracing, h http.Handler) http.Handler {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i] == ofOtel {
			h = otelhttp.NewHandler(h, ofOtel, otelhttpOptions(tr)...)
		} else {
			h = httpmw.Middleware(tr.OpenTracing)(h)
		}
	}
	return h
}

func (l layers) transport(tr tracing, base http.RoundTripper) http.RoundTripper {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i] == ofOtel {
			base = otelhttp.NewTransport(base, otelhttpOptions(tr)...)
		} else {
			base = httpmw.Transport(tr.OpenTracing, base)
		}
	}
	return base
}

// callHTTP makes a request that succeeds and one that fails, and returns what OpenTelemetry sees in the handler.
func callHTTP(t *testing.T, tr tracing, client, server layers) (seen []trace.SpanContext) {
	t.Helper()
	var mu sync.Mutex
	s := httptest.NewServer(server.handler(tr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, trace.SpanContextFromContext(r.Context()))
		_, end := tr.Span(r.Context(), "work of "+r.URL.Path)
		end()
		if r.URL.Path == "/failure" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, "hello")
	})))
	defer s.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	ctx, end := tr.Span(t.Context(), "order")
	defer end()
	c := &http.Client{Transport: client.transport(tr, base)}
	for _, path := range []string{"/success", "/failure"} {
		get(ctx, t, c, s.URL+path)
	}
	return seen
}

func get(ctx context.Context, t *testing.T, c *http.Client, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello" {
		t.Errorf("%v, body %q", err, body)
	}
}

func (l layers) tree(indent, kind string) (text, inside string) {
	for _, layer := range l {
		indent += "  "
		name := "GET"
		if layer == ofOtel && kind == "client" {
			name = "HTTP GET"
		}
		text += indent + name + " (" + kind + ")\n"
	}
	return text, indent
}

func httpTree(client, server layers) string {
	text := "order (internal)\n"
	for _, path := range []string{"/success", "/failure"} {
		outside, indent := client.tree("", "client")
		inside, indent := server.tree(indent, "server")
		text += outside + inside + indent + "  work of " + path + " (internal)\n"
	}
	return text
}

func TestOtelhttpBothWaysRound(t *testing.T) {
	t.Run("as the SDK", func(t *testing.T) {
		compareWithSDK(t, func(t *testing.T, tr tracing) { callHTTP(t, tr, layers{ofOtel}, layers{ofOtel}) })
	})
	sdk := newCollector(t)
	tr, flush := sdk.tracingOfSDK(t)
	callHTTP(t, tr, layers{ofOtel}, layers{ofOtel})
	flush()
	sides := map[string]layers{
		"otelhttp": {ofOtel}, "httpmw": {ofKit}, "otelhttp in httpmw": {ofKit, ofOtel}, "httpmw in otelhttp": {ofOtel, ofKit},
	}
	for clientName, client := range sides {
		for serverName, server := range sides {
			t.Run("client "+clientName+", server "+serverName, func(t *testing.T) {
				c := newCollector(t)
				tr, flush := c.tracingOfBridge(t)
				seen := callHTTP(t, tr, client, server)
				flush()
				c.wantTree(t, httpTree(client, server))
				if clientName != "httpmw" || serverName != "httpmw" {
					c.wantSpansOf(t, otelhttp.ScopeName, sdk)
				}
				for i, path := range []string{"/success", "/failure"} {
					c.wantParentOf(t, "work of "+path, seen[i])
				}
			})
		}
	}
}
