// Package traffic_test sends what users send, with and without the kit, and compares what everyone saw.
package traffic_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is where a scenario happens: bare, or traced on both sides.
type world struct {
	t       *testing.T
	tracer  opentracing.Tracer // nil: bare
	options []httpmw.Option
	inside  bool // the scenario itself puts the middleware somewhere, not the server

	ends []func() // what to stop, last first

	handlers sync.WaitGroup // running, hijacked connections included

	mu   sync.Mutex
	seen map[string][]string // by who saw it: there is no order between two
}

// later runs f when the scenario ends, in the order of defer.
func (w *world) later(f func()) { w.ends = append(w.ends, f) }

// handler wraps a server's handler as the user does with the kit.
func (w *world) handler(h http.Handler) http.Handler {
	if w.tracer == nil {
		return h
	}
	var options []httpmw.ServerOption
	for _, o := range w.options {
		options = append(options, o)
	}
	return httpmw.Middleware(w.tracer, options...)(h)
}

// transport wraps a client's transport, if the world has a tracer.
func (w *world) transport(rt http.RoundTripper) http.RoundTripper {
	if w.tracer == nil {
		return rt
	}
	var options []httpmw.ClientOption
	for _, o := range w.options {
		options = append(options, o)
	}
	if options != nil {
		options = append(options, httpmw.WithConnectionEvents(), httpmw.WithUnclosedBody(func(*http.Request, string) {}))
	}
	return httpmw.Transport(w.tracer, rt, options...)
}

// everything is every option that promises to change nothing but the span.
func everything() []httpmw.Option {
	headers := []string{"Content-Type", "Set-Cookie", "Authorization", "Host", "X-A"}
	return []httpmw.Option{
		httpmw.WithSemconv(httpmw.Both), httpmw.WithHeaderTags(headers, headers), httpmw.WithBaggageTags("tenant"),
		httpmw.WithProfilingLabels(), httpmw.WithTags(opentracing.Tag{Key: "a", Value: 1}),
		httpmw.WithOperationName(func(r *http.Request, route string) string { return r.Method + route }),
		httpmw.WithOutcome(func(_ opentracing.Span, r *http.Request, o *httpmw.Outcome) { o.IsError = r.Method == "" }),
		httpmw.WithErrorPolicy(func(_ *http.Request, client bool, status int) bool { return client == (status > 499) }),
		httpmw.WithObserver(observer{}),
	}
}

// observer looks at what it is given.
type observer struct{}

func (observer) Started(r *http.Request) { _ = len(r.Header) + len(r.URL.Path) }
func (observer) Ended(r *http.Request, _ opentracing.Span, o *httpmw.Outcome) {
	_ = len(r.Header) + len(r.URL.Path) + o.Status
}

// saw notes what somebody in the scenario noticed.
func (w *world) saw(who, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[string][]string)
	}
	w.seen[who] = append(w.seen[who], fmt.Sprintf(format, args...))
}

// unstarted is a server, traced, that ends with the scenario.
func (w *world) unstarted(h http.Handler) *httptest.Server {
	traced := h
	if !w.inside {
		traced = w.handler(h)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.handlers.Add(1)
		defer w.handlers.Done()
		traced.ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.later(func() {
		server.Close()
		w.handlers.Wait()
	})
	return server
}

func (w *world) server(h http.Handler) *httptest.Server {
	server := w.unstarted(h)
	server.Start()
	return server
}

// tlsServer is server with TLS and HTTP/2, and a client that trusts it.
func (w *world) tlsServer(h http.Handler) (*httptest.Server, *http.Client) {
	server := w.unstarted(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return server, w.client(&http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}})
}

// client is a traced client on a transport of its own.
func (w *world) client(transport *http.Transport) *http.Client {
	w.later(transport.CloseIdleConnections)
	return &http.Client{Transport: w.transport(transport), Timeout: wait.Patience}
}

// get notes everything of an answer.
func (w *world) get(client *http.Client, url string, header ...string) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w.do(client, req)
}

func (w *world) do(client *http.Client, req *http.Request) {
	w.t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		w.saw("client", "error: %v", withoutPorts(err.Error()))
		return
	}
	w.note(resp)
}

func (w *world) note(resp *http.Response) {
	w.t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	w.saw("client", "%s %s length=%d encoding=%v uncompressed=%v close=%v", resp.Proto, resp.Status, resp.ContentLength,
		resp.TransferEncoding, resp.Uncompressed, resp.Close)
	w.saw("client", "header %v", fields(resp.Header))
	w.saw("client", "body %s, error %v", digest(body), err)
	w.saw("client", "trailer %v", fields(resp.Trailer))
}

var carriers = []string{"Traceparent", "Tracestate", "Uber-Trace-Id"}

// fields are a header's, sorted, but for the date and what carries the trace.
func fields(h http.Header) (all []string) {
	for key, values := range h {
		switch {
		case key == "Date":
			values = []string{"…"}
		case slices.Contains(carriers, key), strings.HasPrefix(key, "Mockpfx-"):
			continue
		}
		all = append(all, fmt.Sprintf("%s: %q", key, withoutPorts(strings.Join(values, "|"))))
	}
	slices.Sort(all)
	return all
}

// digest shows short text as it is.
func digest(b []byte) string {
	if len(b) <= 200 {
		return fmt.Sprintf("%q", withoutPorts(string(b)))
	}
	if len(b) <= 1<<16 { // larger ones are random, and slow to search
		return fmt.Sprintf("%d bytes, %s", len(b), sum([]byte(withoutPorts(string(b)))))
	}
	return fmt.Sprintf("%d bytes, %s", len(b), sum(b))
}

// equal runs a scenario bare, with a tracer that checks that every span ends once, and with the real one and all options:
// what was seen must be the same, and the kit must have been there.
func equal(t *testing.T, scenario func(w *world)) {
	t.Helper()
	bare := play(t, nil, nil, scenario)
	if len(bare) == 0 {
		t.Fatal("nothing was seen")
	}

	strict := spantest.New(t)
	if diff := cmp.Diff(bare, play(t, strict, nil, scenario)); diff != "" {
		t.Errorf("tracing changed what was seen (-bare +traced):\n%s", diff)
	}
	if len(strict.Finished()) == 0 {
		t.Error("no span: the kit was not there")
	}

	reporter := jaeger.NewInMemoryReporter()
	real, err := tracerinit.Start(tracerinit.Config{
		Service: "traffic", Local: true, Reporters: []jaeger.Reporter{reporter}, LookupEnv: noEnv,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	if diff := cmp.Diff(bare, play(t, real, everything(), scenario)); diff != "" {
		t.Errorf("real tracing changed what was seen (-bare +traced):\n%s", diff)
	}
	if reporter.SpansSubmitted() == 0 {
		t.Error("no span: the kit was not there")
	}
}

func play(t *testing.T, tracer opentracing.Tracer, options []httpmw.Option, scenario func(w *world)) map[string][]string {
	t.Helper()
	w := &world{t: t, tracer: tracer, options: options}
	defer func() {
		for _, end := range slices.Backward(w.ends) {
			end()
		}
	}()
	scenario(w)
	for _, end := range slices.Backward(w.ends) {
		end()
	}
	w.ends = nil
	return w.seen
}

func noEnv(string) (string, bool) { return "", false }

// dial opens a raw connection, closed when the scenario ends.
func (w *world) dial(addr net.Addr) net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		w.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(wait.Patience))
	w.later(func() { conn.Close() })
	return conn
}

func (w *world) listener() net.Listener {
	w.t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	return lis
}
