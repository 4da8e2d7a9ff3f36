package httpmw

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// wovenDispatch is what net/http's own dispatch is with the rules woven in.
type wovenDispatch struct{ srv *http.Server }

func (d wovenDispatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if wovenServe(d.srv, d, w, r) {
		return
	}
	h := d.srv.Handler
	if h == nil {
		h = http.DefaultServeMux
	}
	h.ServeHTTP(w, r)
}

// weave returns the dispatch of a server with this Handler, as if the program were built with the rules.
func weave(t testing.TB, h http.Handler) http.Handler {
	t.Helper()
	t.Cleanup(woven.Force())
	srv := &http.Server{Handler: h}
	t.Cleanup(wovenServing(srv))
	return wovenDispatch{srv}
}

func setGlobal(t testing.TB, tracer opentracing.Tracer) {
	t.Helper()
	before := opentracing.GlobalTracer()
	opentracing.SetGlobalTracer(tracer)
	t.Cleanup(func() { opentracing.SetGlobalTracer(before) })
}

// kitTracer returns the global tracer of a test, and what it reports.
func kitTracer(t testing.TB) (*tracerinit.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	reporter := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, Service: "test", Reporters: []jaeger.Reporter{reporter},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	setGlobal(t, tracer)
	return tracer, reporter
}

const (
	callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan  = "00f067aa0ba902b7"
)

// send serves a request of a traced caller.
func send(h http.Handler, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Traceparent", "00-"+callerTrace+"-"+callerSpan+"-01")
	r.Header.Set("Baggage", "tenant=acme")
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	r.Header.Set("X-Tenant", "acme")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// addRequestTags returns what there is to see of spans, but for ids and times that differ from run to run.
func addRequestTags(spans []opentracing.Span) (lines []string) {
	for _, s := range spans {
		s := s.(*jaeger.Span)
		sc := s.SpanContext()
		var tags []string
		for k, v := range s.Tags() {
			if strings.HasPrefix(k, "http.first_byte") {
				v = "some time"
			}
			tags = append(tags, fmt.Sprintf("%s=%v", k, v))
		}
		slices.Sort(tags)
		parent := "another"
		switch sc.ParentID() {
		case 0:
			parent = "none"
		case 0xf067aa0ba902b7:
			parent = "caller"
		}
		lines = append(lines, fmt.Sprintf("%s, parent %s, of the caller's trace %t: %s",
			s.OperationName(), parent, sc.TraceID().String() == callerTrace, strings.Join(tags, " ")))
	}
	slices.Sort(lines)
	return lines
}

// seen counts what hooks and observers see.
type seen struct{ log []string }

func (s *seen) Started(r *http.Request) { s.log = append(s.log, "started") }
func (s *seen) Ended(r *http.Request, span opentracing.Span, o *Outcome) {
	s.log = append(s.log, fmt.Sprintf("ended %s %d, a span: %t", o.OperationName, o.Status, span != nil))
}

func yes(*http.Request) bool { return true }
func no(*http.Request) bool  { return false }

// byHandOptions are all options of a Middleware. Each is one that makes a difference.
var byHandOptions = map[string]func(*seen) ServerOption{
	"WithFilter": func(*seen) ServerOption { return WithFilter(no) },
	"WithOperationName": func(*seen) ServerOption {
		return WithOperationName(func(*http.Request, string) string { return "mine" })
	},
	"WithTags":         func(*seen) ServerOption { return WithTags(opentracing.Tag{Key: "mine", Value: "yes"}) },
	"WithSemconv":      func(*seen) ServerOption { return WithSemconv(OTel) },
	"WithHeaderTags":   func(*seen) ServerOption { return WithHeaderTags([]string{"X-Tenant"}, nil) },
	"WithURLRedaction": func(*seen) ServerOption { return WithURLRedaction(func(*url.URL) string { return "redacted" }) },
	"WithErrorPolicy":  func(*seen) ServerOption { return WithErrorPolicy(func(*http.Request, bool, int) bool { return true }) },
	"WithOutcome": func(s *seen) ServerOption {
		return WithOutcome(func(span opentracing.Span, _ *http.Request, o *Outcome) { s.Ended(nil, span, o) })
	},
	"WithObserver":        func(s *seen) ServerOption { return WithObserver(s) },
	"WithBaggageTags":     func(*seen) ServerOption { return WithBaggageTags("tenant") },
	"WithProfilingLabels": func(*seen) ServerOption { return WithProfilingLabels() },
	"WithRoutes":          func(*seen) ServerOption { return WithRoutes(chiRoutes()) },
	"WithMux":             func(*seen) ServerOption { return WithMux(serveMux()) },
	"WithPublicEndpoint":  func(*seen) ServerOption { return WithPublicEndpoint(yes) },
	"WithSilence":         func(*seen) ServerOption { return WithSilence(yes) },
	"WithTraceIDHeader":   func(*seen) ServerOption { return WithTraceIDHeader("X-Trace-Id") },
	"WithTrustedProxies":  func(*seen) ServerOption { return WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")) },
}

func chiRoutes() *chi.Mux {
	r := chi.NewRouter()
	r.Get("/users/{id}", func(http.ResponseWriter, *http.Request) {})
	return r
}

func serveMux() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /users/{name}", func(http.ResponseWriter, *http.Request) {})
	return m
}

// outside is a handler with something of the user's outside of the middleware, so that woven code cannot see it.
func outside(middleware func(http.Handler) http.Handler, before func(*http.Request)) http.Handler {
	h := middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, _ := opentracing.StartSpanFromContext(r.Context(), "child")
		child.Finish()
		fmt.Fprint(w, "hello")
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			before(r)
		}
		h.ServeHTTP(w, r)
	})
}

// TestEveryOptionByHandHoldsBesideWovenCode also for the first request, which shows woven code that there is one.
func TestEveryOptionByHandHoldsBesideWovenCode(t *testing.T) {
	for name, option := range byHandOptions {
		for shape, before := range map[string]func(*http.Request){
			"":                             nil,
			", with the span read outside": func(r *http.Request) { opentracing.SpanFromContext(r.Context()) },
		} {
			t.Run(name+shape, func(t *testing.T) {
				run := func(t *testing.T, isWoven bool) (spans, log, headers []string) {
					tracer, reporter := kitTracer(t)
					s := new(seen)
					h := outside(Middleware(nil, option(s)), before)
					if isWoven {
						h = weave(t, h)
					}
					for range 3 {
						w := send(h, "/users/7?q=1")
						headers = append(headers, fmt.Sprint(w.Code, len(w.Header().Get("X-Trace-Id")), w.Body))
					}
					if st := tracer.Stats(); st.Open != 0 {
						t.Errorf("%d spans are open", st.Open)
					}
					return addRequestTags(reporter.GetSpans()), s.log, headers
				}
				wantSpans, wantLog, wantHeaders := run(t, false)
				spans, log, headers := run(t, true)
				if diff := cmp.Diff([][]string{wantSpans, wantLog, wantHeaders}, [][]string{spans, log, headers}); diff != "" {
					t.Errorf("woven differs, -by hand +woven:\n%s", diff)
				}
			})
		}
	}
}

func TestEveryServerOptionIsTriedBesideWovenCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "options.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "With") {
			continue
		}
		if result := f.Type.Results.List[0].Type.(*ast.Ident).Name; result == "ClientOption" {
			continue
		}
		n++
		if byHandOptions[f.Name.Name] == nil {
			t.Errorf("%s is not tried", f.Name.Name)
		}
	}
	if n != len(byHandOptions) {
		t.Errorf("%d options tried, options.go has %d", len(byHandOptions), n)
	}
}

// TestOtherTracersSeeOneSpan though OpenTracing has no way to drop a span.
func TestOtherTracersSeeOneSpan(t *testing.T) {
	mock := mocktracer.New()
	strict := spantest.New(t)
	for name, c := range map[string]struct {
		tracer   opentracing.Tracer
		finished func() []*mocktracer.MockSpan
	}{
		"mocktracer": {mock, mock.FinishedSpans},
		"spantest":   {strict, strict.Finished},
	} {
		t.Run(name, func(t *testing.T) {
			setGlobal(t, c.tracer)
			h := weave(t, outside(Middleware(nil), nil))
			send(h, "/")
			send(h, "/")
			var names []string
			for _, s := range c.finished() {
				names = append(names, s.OperationName)
			}
			if diff := cmp.Diff([]string{"child", "GET", "child", "GET"}, names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWovenServerIsTheMiddleware compares a woven server with one that has a Middleware around its Handler.
func TestWovenServerIsTheMiddleware(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"chi":       chiRoutes(),
		"ServeMux":  serveMux(),
		"func":      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		"not found": http.NotFoundHandler(),
	} {
		t.Run(name, func(t *testing.T) {
			_, reporter := kitTracer(t)
			send(Middleware(nil)(handler), "/users/7")
			want := addRequestTags(reporter.GetSpans())
			reporter.Reset()
			send(weave(t, handler), "/users/7")
			if diff := cmp.Diff(want, addRequestTags(reporter.GetSpans())); diff != "" {
				t.Errorf("-by hand +woven:\n%s", diff)
			}
		})
	}
}

func TestServerThatUsesAMiddlewareIsLeftAlone(t *testing.T) {
	router := chi.NewRouter()
	router.Use(Middleware(nil))
	router.Get("/", func(http.ResponseWriter, *http.Request) {})
	for name, h := range map[string]http.Handler{"around all": Middleware(nil)(serveMux()), "chi": router} {
		t.Run(name, func(t *testing.T) {
			tracer, _ := kitTracer(t)
			send(weave(t, h), "/")
			if got := tracer.Stats().Started; got != 1 {
				t.Errorf("%d spans started, want 1", got)
			}
		})
	}
}

func TestServerIsLeftAloneOnceAMiddlewareWasMet(t *testing.T) {
	tracer, reporter := kitTracer(t)
	router := chi.NewRouter()
	router.Get("/plain", func(http.ResponseWriter, *http.Request) {})
	router.With(Middleware(nil)).Get("/by-hand", func(http.ResponseWriter, *http.Request) {})
	h := weave(t, router)
	for _, path := range []string{"/plain", "/by-hand", "/plain", "/by-hand"} {
		send(h, path)
	}
	var names []string
	for _, s := range reporter.GetSpans() {
		names = append(names, s.(*jaeger.Span).OperationName())
	}
	if diff := cmp.Diff([]string{"GET /plain", "GET /by-hand", "GET /by-hand"}, names); diff != "" {
		t.Error(diff)
	}
	if st := tracer.Stats(); st.Open != 0 || st.Started != 4 {
		t.Errorf("%d spans open of %d started, want 0 of 4", st.Open, st.Started)
	}
}

// panicky is a tracer whose spans cannot be started.
type panicky struct{ opentracing.NoopTracer }

func (panicky) StartSpan(string, ...opentracing.StartSpanOption) opentracing.Span { panic("no span") }

func TestWovenServerServesWithoutASpan(t *testing.T) {
	for name, tracer := range map[string]opentracing.Tracer{
		"no tracer": opentracing.NoopTracer{}, "a tracer that panics": &panicky{},
	} {
		t.Run(name, func(t *testing.T) {
			setGlobal(t, tracer)
			calls := 0
			h := weave(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
			send(h, "/")
			if calls != 1 {
				t.Errorf("the handler was called %d times", calls)
			}
		})
	}
}

func TestWovenServerFollowsItsHandler(t *testing.T) {
	_, reporter := kitTracer(t)
	t.Cleanup(woven.Force())
	srv := &http.Server{Handler: chiRoutes()}
	done := wovenServing(srv)
	send(wovenDispatch{srv}, "/users/7")
	srv.Handler = serveMux()
	send(wovenDispatch{srv}, "/users/7")
	done()
	send(wovenDispatch{srv}, "/users/7") // in flight while it shuts down
	var names []string
	for _, s := range reporter.GetSpans() {
		names = append(names, s.(*jaeger.Span).OperationName())
	}
	if diff := cmp.Diff([]string{"GET /users/{id}", "GET /users/{name}", "GET /users/{name}"}, names); diff != "" {
		t.Error(diff)
	}
	if _, known := wovenServers.Load(srv); known {
		t.Error("the server is still known")
	}
}

func TestServerWideOptionsAreNotTraced(t *testing.T) {
	tracer, _ := kitTracer(t)
	r := httptest.NewRequest(http.MethodOptions, "*", nil).WithContext(context.Background())
	weave(t, serveMux()).ServeHTTP(httptest.NewRecorder(), r)
	if got := tracer.Stats().Started; got != 0 {
		t.Errorf("%d spans started, want 0", got)
	}
}

func TestHandlersOfTheKitAreNotTraced(t *testing.T) {
	tracer, reporter := kitTracer(t)
	router := chi.NewRouter()
	router.Get("/page", func(_ http.ResponseWriter, r *http.Request) { woven.Discard(r.Context()) })
	router.Get("/users", func(http.ResponseWriter, *http.Request) {})
	h := weave(t, router)
	send(h, "/page")
	send(h, "/users")
	send(Middleware(nil)(router), "/page") // by hand, a filter decides
	var names []string
	for _, s := range reporter.GetSpans() {
		names = append(names, s.(*jaeger.Span).OperationName())
	}
	if diff := cmp.Diff([]string{"GET /users", "GET /page"}, names); diff != "" {
		t.Error(diff)
	}
	if st := tracer.Stats(); st.Open != 0 {
		t.Errorf("%d spans are open", st.Open)
	}
}
