package httpmw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// SetRoute beats what was found before and afterwards, and samplers have seen the early name.
func TestSetRouteBeatsEveryOtherName(t *testing.T) {
	set := func(templates ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for _, template := range templates {
				httpmw.SetRoute(r, template)
			}
		}
	}
	inChi := func(h http.HandlerFunc, use ...mw) func(mw) http.Handler {
		return func(m mw) http.Handler {
			r := chi.NewRouter()
			r.Use(append([]mw{m}, use...)...)
			r.Get("/users/{id}", h)
			return r
		}
	}
	outside := func(h http.HandlerFunc) func(mw) http.Handler {
		return func(m mw) http.Handler { return m(copying(h)) }
	}
	checkRoutes(t, outside(set("/things/{id}")), routeCase{"GET /things/7", "GET /things/{id}", "GET"})
	checkRoutes(t, outside(set("/a", "/b")), routeCase{"GET /", "GET /b", "GET"})
	checkRoutes(t, inChi(set("/mine")), routeCase{"GET /users/7", "GET /mine", "GET /users/{id}"})
	checkRoutes(t, inChi(set("/mine"), middleware.StripSlashes), routeCase{"GET /users/7/", "GET /mine", "GET"})
	checkRoutes(t, inChi(set("")), routeCase{"GET /users/7", "GET", "GET /users/{id}"})
}

// TestSetRouteReachesTheName of WithOperationName, as its route.
func TestSetRouteReachesTheName(t *testing.T) {
	span := served(t, func(_ http.ResponseWriter, r *http.Request) { httpmw.SetRoute(r, "/x/{y}") }, request("GET", "/x/1"),
		httpmw.WithOperationName(func(r *http.Request, route string) string { return r.Method + "-" + route }))
	if span.OperationName != "GET-/x/{y}" || span.Tag("http.route") != "/x/{y}" {
		t.Errorf("%q, %v", span.OperationName, span.Tags())
	}
}

// TestSetRouteFromAnywhere: from several goroutines, without a span, and when the request is over.
func TestSetRouteFromAnywhere(t *testing.T) {
	httpmw.SetRoute(nil, "/nil")
	httpmw.SetRoute(request("GET", "/"), "/untraced")
	httpmw.SetRoute(&http.Request{}, "/empty")
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	var kept, sub *http.Request
	m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { httpmw.SetRoute(r, "/outer") })
		}
		all.Wait()
		kept = r
		m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sub = r })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(r.Context(), "GET", "/sub", nil))
		httpmw.SetRoute(sub, "/late") // nor may this be the outer request's
	})).ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	httpmw.SetRoute(kept, "/late")
	spans := tracer.Finished()
	if len(spans) != 2 || spans[0].OperationName != "GET" || spans[1].OperationName != "GET /outer" {
		t.Errorf("spans %v", spans)
	}
}

// Tags are made of the caller's baggage, unless it is not trusted.
func TestTrustedBaggageBecomesTags(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, tt := range map[string]struct {
		opts []httpmw.ServerOption
		want map[string]any
	}{
		"named":  {nil, map[string]any{"baggage.tenant": "acme", "baggage.long": long[:253] + "…", "baggage.other": nil, "baggage.none": nil, "baggage.": nil}},
		"public": {[]httpmw.ServerOption{httpmw.WithPublicEndpoint(func(*http.Request) bool { return true })}, map[string]any{"baggage.tenant": nil}},
		"own tags": {[]httpmw.ServerOption{httpmw.WithTags(opentracing.Tag{Key: "baggage.tenant", Value: "mine"})},
			map[string]any{"baggage.tenant": "mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			caller := tracer.StartSpan("caller").SetBaggageItem("tenant", "acme").SetBaggageItem("long", long).SetBaggageItem("other", "1")
			r := request("GET", "/")
			tracer.Inject(caller.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header))
			opts := append(tt.opts, httpmw.WithBaggageTags("tenant", "none"), httpmw.WithBaggageTags("tenant", "long", ""))
			httpmw.Middleware(tracer, opts...)(http.HandlerFunc(ok)).ServeHTTP(httptest.NewRecorder(), r)
			caller.Finish()
			wantTags(t, tracer.Finished()[0], tt.want)
		})
	}
}

// Profiling labels are on the goroutine and in the context while the handler runs.
func TestProfilingLabelsAreThereWhileHandlersRun(t *testing.T) {
	tracer, _ := newJaeger(t, never)
	for name, end := range map[string]func(){"return": func() {}, "panic": func() { panic("boom") }} {
		t.Run(name, func(t *testing.T) {
			r := chi.NewRouter()
			r.Use(httpmw.Middleware(tracer, httpmw.WithProfilingLabels()))
			r.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) {
				sc := opentracing.SpanFromContext(r.Context()).Context()
				for label, want := range map[string]string{
					"trace_id": carrier.TraceID(sc), "span_id": carrier.SpanID(sc), "span_name": "GET /users/{id}", "user": "own",
				} {
					if got, _ := pprof.Label(r.Context(), label); got != want || !strings.Contains(goroutineLabels(), `"`+label+`":"`+want+`"`) {
						t.Errorf("%s is %q in the context, want %q; on the goroutine: %s", label, got, want, goroutineLabels())
					}
				}
				end()
			})
			pprof.Do(t.Context(), pprof.Labels("user", "own"), func(ctx context.Context) {
				defer func() {
					recover()
					if got := goroutineLabels(); !strings.Contains(got, `"user":"own"`) || strings.Contains(got, "trace_id") {
						t.Errorf("left on the goroutine: %s", got)
					}
				}()
				r.ServeHTTP(httptest.NewRecorder(), request("GET", "/users/7").WithContext(ctx))
			})
		})
	}
}

// goroutineLabels returns the labels of all goroutines that have some.
func goroutineLabels() string {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	var labels []string
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "# labels:") {
			labels = append(labels, line)
		}
	}
	return strings.Join(labels, "")
}
