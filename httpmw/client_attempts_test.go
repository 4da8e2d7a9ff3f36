package httpmw_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
)

// attempt is what a client span says of the attempts before it.
type attempt struct {
	url  string // path and query
	n    any    // resend_count
	link int    // index of the span it links to; -1 if to none, -2 if to one unknown
}

// attemptsOf returns what the spans say in the order in which they ended.
func attemptsOf(t *testing.T, reporter *jaeger.InMemoryReporter) (all []attempt) {
	t.Helper()
	var ids []string
	for _, s := range reporter.GetSpans() {
		ids = append(ids, carrier.TraceID(s.Context())+carrier.SpanID(s.Context()))
	}
	for _, s := range reporter.GetSpans() {
		tags := s.(*jaeger.Span).Tags()
		a := attempt{n: tags["http.request.resend_count"], link: -1}
		_, rest, _ := strings.Cut(tags["http.url"].(string), "://")
		_, a.url, _ = strings.Cut(rest, "/")
		if tags["link.trace_id"] != nil || tags["link.span_id"] != nil {
			if a.link = slices.Index(ids, fmt.Sprint(tags["link.trace_id"], tags["link.span_id"])); a.link < 0 {
				a.link = -2
			}
		}
		all = append(all, a)
	}
	return all
}

func wantAttempts(t *testing.T, reporter *jaeger.InMemoryReporter, want ...attempt) {
	t.Helper()
	if d := cmp.Diff(want, attemptsOf(t, reporter), cmp.AllowUnexported(attempt{})); d != "" {
		t.Error(d)
	}
}

// failing answers 503 the given number of times, then 200.
func failing(times int32) http.HandlerFunc {
	var calls atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if calls.Add(1) <= times {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

// retrier is a transport that retries.
type retrier struct{ base http.RoundTripper }

func (rt retrier) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	for range 5 {
		resp, err = rt.base.RoundTrip(r.Clone(r.Context()))
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			break
		}
		resp.Body.Close()
	}
	return resp, err
}

// Requests are sent again in all the ways in which programs and libraries do it.
func TestRequestsSentAgainHaveASpanEach(t *testing.T) {
	loop := func(t *testing.T, client *http.Client, r *http.Request, _ opentracing.Tracer) {
		for range 5 {
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			if r.GetBody != nil {
				r.Body, _ = r.GetBody()
			}
		}
	}
	for name, send := range map[string]func(t *testing.T, client *http.Client, r *http.Request, tracer opentracing.Tracer){
		"loop": loop,
		"client with a timeout": func(t *testing.T, client *http.Client, r *http.Request, tracer opentracing.Tracer) {
			client.Timeout = time.Minute
			loop(t, client, r, tracer)
		},
		"a copy each time": func(t *testing.T, client *http.Client, r *http.Request, tracer opentracing.Tracer) {
			for range 3 {
				again := r.Clone(context.WithValue(r.Context(), belowKey{}, 1))
				resp, err := client.Do(again)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
		},
		"retrying transport": func(t *testing.T, client *http.Client, r *http.Request, tracer opentracing.Tracer) {
			client.Transport = retrier{client.Transport}
			loop(t, client, r, tracer)
		},
		"two transports": func(t *testing.T, client *http.Client, r *http.Request, tracer opentracing.Tracer) {
			client.Transport = httpmw.Transport(tracer, client.Transport)
			loop(t, client, r, tracer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newJaeger(t, always)
			srv := serve(t, failing(2))
			r := newGet(httpmw.ContextWithResends(t.Context()), srv.URL+"/x")
			if name == "loop" {
				r, _ = http.NewRequestWithContext(r.Context(), "PUT", srv.URL+"/x", strings.NewReader("body"))
			}
			send(t, httpmw.Client(tracer, srv.Client()), r, tracer)
			wantAttempts(t, reporter, attempt{"x", nil, -1}, attempt{"x", 1, 0}, attempt{"x", 2, 1})
		})
	}
	t.Run("another context", func(t *testing.T) {
		tracer, reporter := newJaeger(t, always)
		srv := serve(t, failing(2))
		loop(t, httpmw.Client(tracer, srv.Client()), newGet(t.Context(), srv.URL+"/x"), tracer)
		wantAttempts(t, reporter, attempt{"x", nil, -1}, attempt{"x", nil, -1}, attempt{"x", nil, -1})
	})
}

type belowKey struct{}

// TestResendsWithAnyTracer: the count needs no ids.
func TestResendsWithAnyTracer(t *testing.T) {
	eachTracer(t, func(t *testing.T, tracer opentracing.Tracer, spans func() []seen) {
		rt := httpmw.Transport(tracer, reply(503, http.NoBody))
		r := newGet(httpmw.ContextWithResends(t.Context()), "http://a.example/")
		for range 2 {
			rt.RoundTrip(r)
		}
		if all := spans(); len(all) != 2 || all[0].tags["http.request.resend_count"] != nil || all[1].tags["http.request.resend_count"] != 1 {
			t.Errorf("%v", all)
		}
	})
}

// TestResendsWithinATrace link there, too.
func TestResendsWithinATrace(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	job := tracer.StartSpan("job")
	rt := httpmw.Transport(tracer, reply(503, http.NoBody))
	r := newGet(httpmw.ContextWithResends(opentracing.ContextWithSpan(t.Context(), job)), "http://a.example/x")
	rt.RoundTrip(r)
	rt.RoundTrip(r)
	wantAttempts(t, reporter, attempt{"x", nil, -1}, attempt{"x", 1, 0})
	if span := reporter.GetSpans()[1].(*jaeger.Span); span.SpanContext().ParentID() != job.Context().(jaeger.SpanContext).SpanID() {
		t.Error("the second attempt lost its parent")
	}
	job.Finish()
}

func TestResendsDoNotMix(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	rt := httpmw.Transport(tracer, reply(503, http.NoBody))
	ctx := httpmw.ContextWithResends(t.Context())
	var want []attempt
	urls := []string{"http://a.example/x", "http://b.example/x", "https://a.example/x", "http://a.example/y", "http://a.example/x?q",
		"http://a.example/x/y", "http://a.example/x%2Fy"}
	for round := range 2 {
		for i, url := range urls {
			rt.RoundTrip(newGet(ctx, url))
			a := attempt{url: url[strings.Index(url, ".example/")+len(".example/"):], link: -1}
			if round > 0 {
				a.n, a.link = 1, i
			}
			want = append(want, a)
		}
	}
	post := newGet(ctx, "http://a.example/x")
	post.Method = "POST"
	rt.RoundTrip(post)
	rt.RoundTrip(newGet(httpmw.ContextWithResends(ctx), "http://a.example/x"))
	rt.RoundTrip(newGet(ctx, "http://user@a.example/x#part"))
	want = append(want, attempt{"x", nil, -1}, attempt{"x", nil, -1}, attempt{"x", 2, len(urls)})
	got := attemptsOf(t, reporter)
	got[len(got)-1].url = "x" // what is recorded of a fragment is another matter
	if d := cmp.Diff(want, got, cmp.AllowUnexported(attempt{})); d != "" {
		t.Error(d)
	}
}

// TestResendsOfRedirects: redirects and attempts add up, and a redirect to the same place is no attempt.
func TestResendsOfRedirects(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/a":
			http.Redirect(w, r, "/b", http.StatusFound)
		case r.URL.Path == "/self" && r.Referer() == "":
			http.Redirect(w, r, "/self", http.StatusFound)
		}
	}))
	client := httpmw.Client(tracer, srv.Client())
	for _, path := range []string{"/a", "/self"} {
		r := newGet(httpmw.ContextWithResends(t.Context()), srv.URL+path)
		for range 2 {
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}
	wantAttempts(t, reporter,
		attempt{"a", nil, -1}, attempt{"b", 1, -1}, attempt{"a", 1, 0}, attempt{"b", 2, 1},
		attempt{"self", nil, -1}, attempt{"self", 1, -1}, attempt{"self", 1, 4}, attempt{"self", 2, 5})
}

// Hedged attempts: those under way at once are counted one after the other.
func TestHedgedAttemptsAreNumbered(t *testing.T) {
	const hedges = 8
	tracer, reporter := newJaeger(t, always)
	var arrived sync.WaitGroup
	arrived.Add(hedges)
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		arrived.Done()
		arrived.Wait()
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}))
	r := newGet(httpmw.ContextWithResends(t.Context()), "http://a.example/x")
	var wg sync.WaitGroup
	for range hedges {
		wg.Go(func() { rt.RoundTrip(r) })
	}
	wg.Wait()
	all := attemptsOf(t, reporter)
	counts := map[any]int{}
	for i, a := range all {
		counts[a.n] = i
	}
	for i := range hedges {
		want, n := -1, any(nil)
		if i > 0 {
			n = i
			var before any
			if i > 1 {
				before = i - 1
			}
			want = counts[before]
		}
		if at, found := counts[n]; !found || all[at].link != want {
			t.Errorf("attempt %d of %v", i, all)
		}
	}
}

func TestResendsAreBounded(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	rt := httpmw.Transport(tracer, reply(503, http.NoBody))
	ctx := httpmw.ContextWithResends(t.Context())
	var want []attempt
	for range 2 {
		for i := range 17 {
			path := fmt.Sprint(i)
			rt.RoundTrip(newGet(ctx, "http://a.example/"+path))
			a := attempt{url: path, link: -1}
			if len(want) >= 17 && i < 16 {
				a.n, a.link = 1, i
			}
			want = append(want, a)
		}
	}
	wantAttempts(t, reporter, want...)
}

// TestResendsKeepNoSpan: a context that lives on does not hold the spans of its attempts.
func TestResendsKeepNoSpan(t *testing.T) {
	var span weak.Pointer[jaeger.Span]
	rt := httpmw.Transport(engine(t, always), reply(503, http.NoBody), httpmw.WithOutcome(func(s opentracing.Span, _ *http.Request, _ *httpmw.Outcome) {
		span = weak.Make(s.(*jaeger.Span))
	}))
	ctx := httpmw.ContextWithResends(t.Context())
	rt.RoundTrip(newGet(ctx, "http://a.example/"))
	eventually(t, func() bool { runtime.GC(); return span.Value() == nil })
	runtime.KeepAlive(ctx)
}
