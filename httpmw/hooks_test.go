package httpmw_test

import (
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// counter counts how many requests began and ended.
type counter struct{ started, ended int }

func (c *counter) Started(*http.Request)                                  { c.started++ }
func (c *counter) Ended(*http.Request, opentracing.Span, *httpmw.Outcome) { c.ended++ }

// exiting is an observer that ends its goroutine.
type exiting struct{ atStart bool }

func (e exiting) Started(*http.Request) {
	if e.atStart {
		runtime.Goexit()
	}
}

func (exiting) Ended(*http.Request, opentracing.Span, *httpmw.Outcome) { runtime.Goexit() }

// hooksThatGoexit end their goroutine, as t.Fatal does.
func hooksThatGoexit() map[string]httpmw.Option {
	return map[string]httpmw.Option{
		"redact":  httpmw.WithURLRedaction(func(*url.URL) string { runtime.Goexit(); return "" }),
		"policy":  httpmw.WithErrorPolicy(func(*http.Request, bool, int) bool { runtime.Goexit(); return true }),
		"outcome": httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { runtime.Goexit() }),
		"started": httpmw.WithObserver(exiting{atStart: true}),
		"ended":   httpmw.WithObserver(exiting{}),
	}
}

// inGoroutine returns when the goroutine of f has ended.
func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// checkGoexit wants one span, with the status if the request came that far, and no end without a start.
func checkGoexit(t *testing.T, tracer *spantest.Tracer, c *counter, name string) {
	t.Helper()
	span := one(t, tracer)
	if name == "policy" || name == "outcome" || name == "ended" {
		wantTags(t, span, map[string]any{"http.status_code": uint16(200), "error": nil})
	} else {
		wantTags(t, span, map[string]any{"error": true, "error.type": "goexit"})
	}
	if c.started < c.ended {
		t.Errorf("%d requests began, %d ended", c.started, c.ended)
	}
}

func TestServerHooksThatGoexit(t *testing.T) {
	for name, o := range hooksThatGoexit() {
		t.Run(name, func(t *testing.T) {
			tracer, c := spantest.New(t), &counter{}
			h := httpmw.Middleware(tracer, httpmw.WithObserver(c), httpmw.WithSemconv(httpmw.Both), o)(
				http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }))
			inGoroutine(func() { handle(h, http.MethodGet, "/") })
			checkGoexit(t, tracer, c, name)
		})
	}
}

func TestClientHooksThatGoexit(t *testing.T) {
	options := map[string]httpmw.ClientOption{
		"inject": httpmw.WithPropagation(func(*http.Request) bool { runtime.Goexit(); return true }),
		"peer":   httpmw.WithPeerService(func(*http.Request) string { runtime.Goexit(); return "" }),
	}
	for name, o := range hooksThatGoexit() {
		options[name] = o
	}
	for name, o := range options {
		t.Run(name, func(t *testing.T) {
			tracer, c := spantest.New(t), &counter{}
			base := roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("x"))}, nil
			})
			client := httpmw.Client(tracer, &http.Client{Transport: base},
				httpmw.WithObserver(c), httpmw.WithSemconv(httpmw.Both), o)
			inGoroutine(func() { get(t, client, "http://h.example/") })
			checkGoexit(t, tracer, c, name)
		})
	}
}
