package httpmw

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/woven"
)

// wovenTransport is what [http.Transport] is with the rules woven in. It answers by itself.
type wovenTransport struct{ sent *[]*http.Request }

func (t wovenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp, err, done := wovenRoundTrip(t, r); done {
		return resp, err
	}
	*t.sent = append(*t.sent, r)
	w := httptest.NewRecorder()
	w.WriteString("hello")
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// headerSetter is a RoundTripper of the user's that sends a copy of the request.
type headerSetter struct{ base http.RoundTripper }

func (s headerSetter) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer x")
	return s.base.RoundTrip(r)
}

// fetch sends a request through transport, and reads the response.
func fetch(t *testing.T, transport http.RoundTripper, ctx context.Context) {
	t.Helper()
	fetchURL(t, transport, ctx, "http://supplier.example/items?q=1")
}

func fetchURL(t *testing.T, transport http.RoundTripper, ctx context.Context, url string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// TestEveryOptionByHandHoldsAboveAWovenTransport compares the same Transport above a woven and an ordinary transport.
func TestEveryOptionByHandHoldsAboveAWovenTransport(t *testing.T) {
	for name, opts := range map[string]func(*seen) []ClientOption{
		"none":             func(*seen) []ClientOption { return nil },
		"filtered":         func(*seen) []ClientOption { return []ClientOption{WithFilter(no)} },
		"filtered, silent": func(*seen) []ClientOption { return []ClientOption{WithFilter(no), WithPropagation(no)} },
		"observed only":    func(s *seen) []ClientOption { return []ClientOption{WithFilter(no), WithObserver(s)} },
		"observed":         func(s *seen) []ClientOption { return []ClientOption{WithObserver(s)} },
		"not propagated":   func(*seen) []ClientOption { return []ClientOption{WithPropagation(no)} },
		"named": func(*seen) []ClientOption {
			return []ClientOption{WithPeerService(func(*http.Request) string { return "supplier" })}
		},
	} {
		for shape, between := range map[string]func(http.RoundTripper) http.RoundTripper{
			"":                      func(b http.RoundTripper) http.RoundTripper { return b },
			", with a copy between": func(b http.RoundTripper) http.RoundTripper { return headerSetter{b} },
		} {
			t.Run(name+shape, func(t *testing.T) {
				run := func(isWoven, inSpan bool) (spans, log, sent []string) {
					if isWoven {
						defer woven.Force()()
					}
					tracer, reporter := kitTracer(t)
					ctx := t.Context()
					if inSpan {
						span := tracer.StartSpan("job")
						defer span.Finish()
						ctx = opentracing.ContextWithSpan(ctx, span)
					}
					var requests []*http.Request
					var base http.RoundTripper = wovenTransport{&requests}
					if !isWoven {
						base = roundTripper(func(r *http.Request) (*http.Response, error) {
							requests = append(requests, r)
							w := httptest.NewRecorder()
							w.WriteString("hello")
							return w.Result(), nil
						})
					}
					s := new(seen)
					fetch(t, Transport(nil, between(base), opts(s)...), ctx)
					for _, r := range requests {
						sent = append(sent, headerNames(r))
					}
					return addRequestTags(reporter.GetSpans()), s.log, sent
				}
				for _, inSpan := range []bool{true, false} {
					t.Run(fmt.Sprintf("in a span %t", inSpan), func(t *testing.T) {
						wantSpans, wantLog, wantSent := run(false, inSpan)
						spans, log, sent := run(true, inSpan)
						if diff := cmp.Diff([][]string{wantSpans, wantLog, wantSent}, [][]string{spans, log, sent}); diff != "" {
							t.Errorf("in a span: %t; -by hand +woven:\n%s", inSpan, diff)
						}
					})
				}
			})
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func headerNames(r *http.Request) string {
	names := []string{}
	for _, name := range []string{"Traceparent", "Uber-Trace-Id", "Authorization"} {
		if r.Header.Get(name) != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// TestTransportByHandWithoutATracerIsObeyed as an explicit decision not to trace.
func TestTransportByHandWithoutATracerIsObeyed(t *testing.T) {
	defer woven.Force()()
	tracer, _ := kitTracer(t)
	var sent []*http.Request
	fetch(t, Transport(opentracing.NoopTracer{}, wovenTransport{&sent}), t.Context())
	if n := tracer.Stats().Started; n != 0 || len(sent) != 1 || sent[0].Header.Get("Traceparent") != "" {
		t.Errorf("%d spans started, sent %v", n, sent)
	}
}

func TestAWovenTransportIsTracedAsByHand(t *testing.T) {
	marked := func(ctx context.Context) context.Context { return quiet.Context(ctx) }
	for name, c := range map[string]struct {
		tracer opentracing.Tracer // instead of the kit's
		ctx    func(context.Context) context.Context
		spans  int
	}{
		"traced":                {nil, context.WithoutCancel, 1},
		"of the kit itself":     {nil, marked, 0},
		"no tracer":             {opentracing.NoopTracer{}, context.WithoutCancel, 0},
		"a tracer that panics":  {&panicky{}, context.WithoutCancel, 0},
		"the caller's Noop one": {&opentracing.NoopTracer{}, context.WithoutCancel, 0},
	} {
		t.Run(name, func(t *testing.T) {
			defer woven.Force()()
			_, reporter := kitTracer(t)
			if c.tracer != nil {
				setGlobal(t, c.tracer)
			}
			var sent []*http.Request
			fetch(t, wovenTransport{&sent}, c.ctx(t.Context()))
			if got := len(reporter.GetSpans()); got != c.spans || len(sent) != 1 {
				t.Errorf("%d spans and %d requests, want %d and 1", got, len(sent), c.spans)
			}
			if got := headerNames(sent[0]) != ""; got != (c.spans == 1) {
				t.Errorf("context sent: %t", got)
			}
		})
	}
}

func TestWovenTransportOfANestedRequest(t *testing.T) {
	defer woven.Force()()
	_, reporter := kitTracer(t)
	var sent []*http.Request
	base := wovenTransport{&sent}
	fetch(t, Transport(nil, roundTripper(func(r *http.Request) (*http.Response, error) {
		fetchURL(t, base, r.Context(), "http://tokens.example/")
		return base.RoundTrip(r)
	}), WithFilter(func(r *http.Request) bool { return true })), t.Context())
	if got := len(reporter.GetSpans()); got != 2 || len(sent) != 2 {
		t.Errorf("%d spans of %d requests, want 2 of 2: %v", got, len(sent), addRequestTags(reporter.GetSpans()))
	}
}
