package httpmw_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// TestScannersAddNoNames: whatever paths are requested, the names are those of the routes and of the methods.
func TestScannersAddNoNames(t *testing.T) {
	for _, build := range []func(mw) http.Handler{
		func(m mw) http.Handler { return api([]mw{m}, nil) },
		func(m mw) http.Handler { return m(api(nil, nil)) },
		func(m mw) http.Handler { return m(serveMux(plain)) },
		func(m mw) http.Handler { return m(http.HandlerFunc(ok)) },
	} {
		tracer := spantest.New(t)
		h := build(httpmw.Middleware(tracer))
		for i := range 50 {
			for _, method := range []string{"GET", "CONNECT", fmt.Sprintf("M%d", i)} {
				for _, path := range []string{"/scan%d", "/%d/.env", "/orgs/%d/.git", "/shop/%d", "/slash/%d", "/tree%d//../x"} {
					handle(h, method, fmt.Sprintf(path, i))
				}
			}
		}
		names := map[string]bool{}
		for _, s := range tracer.Finished() {
			names[s.OperationName] = true
		}
		for name := range names {
			if name != "GET" && name != "CONNECT" && name != "HTTP" && !strings.HasSuffix(name, " /slash/{id}/") {
				t.Errorf("scanners minted the name %q", name)
			}
		}
	}
}

func TestOperationNamesAreThoseOfTheHook(t *testing.T) {
	tracer := spantest.New(t)
	hook := func(r *http.Request, route string) string { return "my " + r.Method + " " + route }
	h := api([]mw{httpmw.Middleware(tracer, httpmw.WithOperationName(nil), httpmw.WithOperationName(hook)), middleware.StripSlashes}, nil)
	handle(h, "GET", "/users/7/")
	if got := one(t, tracer).OperationName; got != "my GET /users/{id}" {
		t.Errorf("name %q", got)
	}
	broken := spantest.New(t)
	handle(httpmw.Middleware(broken, httpmw.WithOperationName(func(*http.Request, string) string { panic("x") }))(api(nil, nil)), "GET", "/users/7")
	span := oneDespitePanics(t, broken)
	if span.OperationName != "GET /users/{id}" || span.Tag("spanloom.hook_panics") != 1 {
		t.Errorf("name %q, hook panics %v", span.OperationName, span.Tag("spanloom.hook_panics"))
	}
}

// TestNamesSetByHandlersStay, also if the route turns out different.
func TestNamesSetByHandlersStay(t *testing.T) {
	for _, target := range []string{"/x/1", "/x/1/"} {
		t.Run(target, func(t *testing.T) {
			tracer, reporter := newJaeger(t, always)
			r := chi.NewRouter()
			r.Use(httpmw.Middleware(tracer), middleware.StripSlashes)
			r.Get("/x/{id}", func(w http.ResponseWriter, r *http.Request) {
				opentracing.SpanFromContext(r.Context()).SetOperationName("mine")
			})
			handle(r, "GET", target)
			if got := spanName(reporter); got != "mine" {
				t.Errorf("%s: name %q, want the handler's", target, got)
			}
		})
	}
}

// TestPerOperationSampling: samplers that decide by the operation see the route.
func TestPerOperationSampling(t *testing.T) {
	for name, build := range map[string]func(mw) http.Handler{
		"inside":  func(m mw) http.Handler { return api([]mw{m}, nil) },
		"mounted": func(m mw) http.Handler { return api(nil, []mw{m}) },
		"outside": func(m mw) http.Handler { return m(api(nil, nil)) },
		"ServeMux": func(m mw) http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("/shop/items/{item}", ok)
			return m(mux)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newJaeger(t, byOperation("GET /shop/items/{item}"))
			var downstream string
			observe := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					h := http.Header{}
					sc := opentracing.SpanFromContext(r.Context()).Context()
					tracer.Inject(sc, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
					downstream = h.Get("Traceparent")
					next.ServeHTTP(w, r)
				})
			}
			m := httpmw.Middleware(tracer)
			h := build(func(next http.Handler) http.Handler {
				if rt, ok := next.(chi.Routes); ok && name == "outside" {
					return httpmw.Middleware(tracer, httpmw.WithRoutes(rt))(observe(next))
				}
				if mux, ok := next.(*http.ServeMux); ok {
					return httpmw.Middleware(tracer, httpmw.WithMux(mux))(observe(next))
				}
				return m(observe(next))
			})
			handle(h, "GET", "/shop/items/5")
			if reporter.SpansSubmitted() != 1 || !strings.HasSuffix(downstream, "-01") {
				t.Errorf("%d spans reported, header %q; want 1, sampled", reporter.SpansSubmitted(), downstream)
			}
			handle(h, "GET", "/shop/nowhere")
			if reporter.SpansSubmitted() != 1 {
				t.Error("an unmatched request was sampled")
			}
		})
	}
}
