package httpmw_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// show answers with what a handler sees of its request.
func show(w http.ResponseWriter, r *http.Request) {
	rctx := chi.RouteContext(r.Context())
	fmt.Fprintln(w, r.Method, r.URL.Path, r.Pattern, r.PathValue("id"), rctx != nil)
	if rctx != nil {
		fmt.Fprintln(w, rctx.RoutePath, rctx.RouteMethod, rctx.RoutePatterns, rctx.URLParams.Keys, rctx.URLParams.Values)
	}
}

func shows(use ...mw) *chi.Mux {
	r := chi.NewRouter()
	r.Use(use...)
	r.Get("/users/{id}", show)
	r.Get("/", show)
	r.Mount("/v1", mounted(use...))
	return r
}

func mounted(use ...mw) http.Handler {
	r := chi.NewRouter()
	r.Use(use...)
	r.Get("/users/{id}", show)
	return r
}

// embedding is a type with a router in it, which it serves by.
type embedding struct{ *chi.Mux }

// wrapping has the methods of a router and changes what it serves.
type wrapping struct{ chi.Router }

func (h wrapping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r2 := new(http.Request)
	*r2 = *r
	u := *r.URL
	u.Path = strings.TrimPrefix(u.Path, "/prefix")
	r2.URL = &u
	h.Router.ServeHTTP(w, r2)
}

// twice serves a request by one router and, if that does not find it, by another.
func twice(first, second http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		if first.ServeHTTP(rec, r); rec.Code == http.StatusNotFound {
			second.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

func byHost(h chi.Router) http.Handler { return hosts{"example.com": h} }

// TestRoutersServeAsBare: the middleware around a router, or in it, changes nothing of what a client or a handler sees.
func TestRoutersServeAsBare(t *testing.T) {
	slashes := []mw{middleware.StripSlashes}
	late := func(m mw) http.Handler {
		r := chi.NewRouter()
		h := m(r)
		r.Get("/users/{id}", show)
		return h
	}
	for name, build := range map[string]func(m mw, with func(chi.Routes) mw) http.Handler{
		"router":             func(m mw, _ func(chi.Routes) mw) http.Handler { return m(shows()) },
		"GetHead":            func(m mw, _ func(chi.Routes) mw) http.Handler { return m(shows(middleware.GetHead)) },
		"by host":            func(m mw, _ func(chi.Routes) mw) http.Handler { return m(byHost(shows())) },
		"by host, GetHead":   func(m mw, _ func(chi.Routes) mw) http.Handler { return m(byHost(shows(middleware.GetHead))) },
		"by host, slashes":   func(m mw, _ func(chi.Routes) mw) http.Handler { return m(byHost(shows(slashes...))) },
		"embedding":          func(m mw, _ func(chi.Routes) mw) http.Handler { return m(embedding{shows(slashes...)}) },
		"embedding, GetHead": func(m mw, _ func(chi.Routes) mw) http.Handler { return m(embedding{shows(middleware.GetHead)}) },
		"wrapping":           func(m mw, _ func(chi.Routes) mw) http.Handler { return m(wrapping{shows()}) },
		"wrapping, slashes":  func(m mw, _ func(chi.Routes) mw) http.Handler { return m(wrapping{shows(slashes...)}) },
		"slashes inside":     func(m mw, _ func(chi.Routes) mw) http.Handler { return m(shows(slashes...)) },
		"slashes between": func(m mw, with func(chi.Routes) mw) http.Handler {
			r := shows()
			return with(r)(middleware.StripSlashes(r))
		},
		"WithRoutes of another": func(m mw, with func(chi.Routes) mw) http.Handler { return with(shows())(shows(slashes...)) },
		"twice":                 func(m mw, _ func(chi.Routes) mw) http.Handler { return m(twice(mounted(), shows())) },
		"twice the same":        func(m mw, _ func(chi.Routes) mw) http.Handler { r := shows(slashes...); return m(twice(r, r)) },
		"late":                  func(m mw, _ func(chi.Routes) mw) http.Handler { return late(m) },
		"no routes":             func(m mw, _ func(chi.Routes) mw) http.Handler { return m(chi.NewRouter()) },
		"on a mux": func(m mw, _ func(chi.Routes) mw) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", shows(slashes...))
			return m(mux)
		},
		"in Use":          func(m mw, _ func(chi.Routes) mw) http.Handler { return shows(m) },
		"in Use, slashes": func(m mw, _ func(chi.Routes) mw) http.Handler { return shows(m, middleware.StripSlashes) },
		"in Use, GetHead": func(m mw, _ func(chi.Routes) mw) http.Handler { return shows(m, middleware.GetHead) },
		"wrapping, in Use": func(m mw, _ func(chi.Routes) mw) http.Handler {
			r := chi.NewRouter()
			r.Use(m)
			r.Mount("/", wrapping{shows(slashes...)})
			return r
		},
		"fallback": func(m mw, _ func(chi.Routes) mw) http.Handler {
			r := chi.NewRouter()
			r.NotFound(shows(slashes...).ServeHTTP)
			return m(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			bare := build(plain, func(chi.Routes) mw { return plain })
			traced := build(httpmw.Middleware(tracer), func(r chi.Routes) mw { return httpmw.Middleware(tracer, httpmw.WithRoutes(r)) })
			requests := []string{
				"GET /users/1", "GET /users/1/", "HEAD /users/1", "GET /v1/users/1", "GET /v1/users/1/", "HEAD /v1/users/1", "GET /v1",
				"GET /prefix/users/1", "GET /prefix/users/1/", "POST /users/1", "GET /none", "GET //users//1", "GET /", "BREW /users/1",
			}
			for _, request := range requests {
				t.Run(request, func(t *testing.T) {
					method, target, _ := strings.Cut(request, " ")
					want, got := handle(bare, method, target), handle(traced, method, target)
					if d := cmp.Diff([]any{want.Code, want.Body.String(), want.Header()}, []any{got.Code, got.Body.String(), got.Header()}); d != "" {
						t.Errorf("bare and traced differ:\n%s", d)
					}
				})
			}
			if n := len(tracer.Finished()); n != len(requests) {
				t.Errorf("%d spans of %d requests", n, len(requests))
			}
		})
	}
}

// broken is a router whose methods panic unless it serves.
type broken struct{ chi.Router }

func (broken) Match(*chi.Context, string, string) bool            { panic("no match") }
func (broken) Find(*chi.Context, string, string) string           { panic("no find") }
func (broken) Routes() []chi.Route                                { panic("no routes") }
func (b broken) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.Router.ServeHTTP(w, r) }

// What a foreign router panics with when it is only looked at is not the request's fault.
func TestRoutersThatPanicFailNoRequest(t *testing.T) {
	for name, build := range map[string]func(opentracing.Tracer) http.Handler{
		"WithRoutes": func(tr opentracing.Tracer) http.Handler {
			return httpmw.Middleware(tr, httpmw.WithRoutes(broken{shows()}))(shows())
		},
		"mounted, outside": func(tr opentracing.Tracer) http.Handler {
			r := chi.NewRouter()
			r.Mount("/", broken{shows()})
			return httpmw.Middleware(tr)(r)
		},
		"mounted, Use": func(tr opentracing.Tracer) http.Handler {
			r := chi.NewRouter()
			r.Use(httpmw.Middleware(tr))
			r.Mount("/", broken{shows()})
			return r
		},
		"mounted, Use inside": func(tr opentracing.Tracer) http.Handler {
			r := chi.NewRouter()
			r.Mount("/", broken{shows(httpmw.Middleware(tr))})
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			if w := handle(build(tracer), "GET", "/users/1"); w.Code != 200 {
				t.Errorf("status %d", w.Code)
			}
			oneDespitePanics(t, tracer)
		})
	}
}

// The route is known before, and nothing is read that a handler which is late may still write.
func TestTheRouteIsKnownWhenOthersTimeOut(t *testing.T) {
	timeouts := []int{http.StatusRequestTimeout, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	for name, statuses := range map[string][]int{"copy": append(timeouts, 499, http.StatusOK), "same request": timeouts} {
		copied := name == "copy"
		for _, status := range statuses {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				tracer := spantest.New(t)
				var handlers sync.WaitGroup
				release := make(chan struct{})
				timeout := func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						inner := r
						if copied {
							inner = r.WithContext(context.WithValue(r.Context(), t, 1))
						}
						handlers.Add(1)
						go func() {
							defer handlers.Done()
							next.ServeHTTP(httptest.NewRecorder(), inner)
						}()
						<-time.After(time.Millisecond)
						w.WriteHeader(status)
					})
				}
				r := chi.NewRouter()
				r.Use(httpmw.Middleware(tracer), timeout)
				r.Get("/slow/{id}", func(w http.ResponseWriter, r *http.Request) {
					<-release
					r.SetPathValue("late", "1")
				})
				handle(r, "GET", "/slow/1")
				if got := one(t, tracer).OperationName; got != "GET /slow/{id}" {
					t.Errorf("name %q", got)
				}
				close(release)
				handlers.Wait()
			})
		}
	}
}

// TestHandlersThatOutlive408 share their request with the middleware that has answered, and still write to it.
func TestHandlersThatOutlive408(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		r.SetPathValue("late", "1")
		r.Pattern = "/late"
	}
	for name, build := range map[string]func(m, timeout mw) http.Handler{
		"ServeMux": func(m, timeout mw) http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("/slow/{id}", slow)
			return m(timeout(mux))
		},
		"With": func(m, timeout mw) http.Handler {
			r := chi.NewRouter()
			r.With(m, timeout).Get("/slow/{id}", slow)
			return r
		},
		"mounted": func(m, timeout mw) http.Handler {
			below, r := chi.NewRouter(), chi.NewRouter()
			below.Use(m, timeout)
			below.Get("/{id}", slow)
			r.Mount("/slow", below)
			return r
		},
		"route known late": func(m, timeout mw) http.Handler {
			r := chi.NewRouter()
			r.Use(m, middleware.StripSlashes, timeout)
			r.Get("/slow/{id}", slow)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			var handler sync.WaitGroup
			timeout := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					handler.Go(func() { next.ServeHTTP(httptest.NewRecorder(), r) })
					w.WriteHeader(http.StatusRequestTimeout)
				})
			}
			path := "/slow/1"
			if name == "route known late" {
				path += "/"
			}
			handle(build(httpmw.Middleware(tracer), timeout), "GET", path)
			one(t, tracer)
			handler.Wait()
		})
	}
}

// TestPartsInParallel: a handler may serve the same request by others, in parallel.
func TestPartsInParallel(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"plain":   func(*http.Request) {},
		"chunked": func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			var inside sync.WaitGroup
			inside.Add(8)
			part := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				inside.Done()
				inside.Wait()
				if r.PathValue("id") != "7" || r.URL.Path != "/d/7" {
					t.Errorf("%s, id %q", r.URL.Path, r.PathValue("id"))
				}
			}))
			r := chi.NewRouter()
			r.Get("/d/{id}", func(w http.ResponseWriter, r *http.Request) {
				var parts sync.WaitGroup
				for range 8 {
					parts.Go(func() { part.ServeHTTP(httptest.NewRecorder(), r) })
				}
				parts.Wait()
			})
			in := httptest.NewRequest("POST", "/d/7", strings.NewReader("x"))
			in.Method = "GET"
			change(in)
			r.ServeHTTP(httptest.NewRecorder(), in)
			if n := len(tracer.Finished()); n != 8 {
				t.Errorf("%d spans of 8 parts", n)
			}
		})
	}
}

// TestReplacedRoutersAreFreed, also if what they have in common stays.
func TestReplacedRoutersAreFreed(t *testing.T) {
	const routers = 50
	shared := chi.NewRouter()
	shared.Use(httpmw.Middleware(spantest.New(t)))
	shared.Get("/items/{id}", ok)
	freed := make(chan bool, routers)
	for range routers {
		root := chi.NewRouter()
		root.Route("/a/{x}", func(r chi.Router) { r.Mount("/shared", shared) })
		root.Mount("/shared", shared)
		runtime.AddCleanup(root, func(c chan bool) { c <- true }, freed)
		handle(root, "GET", "/shared/items/1")
		handle(root, "GET", "/a/1/shared/items/1")
		handle(root, "GET", "/shared")
	}
	n := 0
	eventually(t, func() bool {
		runtime.GC()
		for len(freed) > 0 {
			<-freed
			n++
		}
		return n >= routers-1 // chi's pool may hold the last
	})
	handle(shared, "GET", "/items/1")
}
