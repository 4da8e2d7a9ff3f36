package httpmw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// watcher is an observer that writes down what it sees.
type watcher struct {
	mu      sync.Mutex
	started int
	ended   []httpmw.Outcome
	spans   []opentracing.Span
}

func (w *watcher) Started(*http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
}

func (w *watcher) Ended(_ *http.Request, span opentracing.Span, o *httpmw.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = append(w.ended, *o)
	w.spans = append(w.spans, span)
}

// TestObserversSeeEveryRequest, traced or not.
func TestObserversSeeEveryRequest(t *testing.T) {
	disabled := startKit(t, tracerinit.Config{Disabled: true, LookupEnv: func(string) (string, bool) { return "", false }})
	none := httpmw.WithFilter(func(*http.Request) bool { return false })
	for name, tt := range map[string]struct {
		tracer opentracing.Tracer
		opts   []httpmw.ServerOption
		span   bool
	}{
		"traced":             {spantest.New(t), nil, true},
		"unsampled":          {engine(t, never), nil, true},
		"silent":             {engine(t, always), []httpmw.ServerOption{httpmw.WithSilence(func(*http.Request) bool { return true })}, true},
		"filtered":           {spantest.New(t), []httpmw.ServerOption{none}, false},
		"no-op":              {opentracing.NoopTracer{}, nil, false},
		"no tracer":          {nil, nil, false},
		"disabled":           {disabled, nil, false},
		"filtered and no-op": {opentracing.NoopTracer{}, []httpmw.ServerOption{none}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &watcher{}
			r := chi.NewRouter()
			r.Use(httpmw.Middleware(tt.tracer, append(tt.opts, httpmw.WithObserver(w), httpmw.WithObserver(nil))...))
			r.Get("/users/{id}", func(rw http.ResponseWriter, r *http.Request) {
				if w.started != 1 || len(w.ended) != 0 {
					t.Errorf("%d started, %d ended while the handler runs", w.started, len(w.ended))
				}
				rw.WriteHeader(http.StatusTeapot)
				rw.Write([]byte("short"))
			})
			handle(r, "GET", "/users/7", "Traceparent", "00-"+parentID+"-01")
			if w.started != 1 || len(w.ended) != 1 || (w.spans[0] != nil) != tt.span {
				t.Fatalf("%d started, ended %+v, span %v", w.started, w.ended, w.spans)
			}
			o := w.ended[0]
			if o.Duration <= 0 || o.Duration > 1e10 || o.FirstByte <= 0 || o.FirstByte > o.Duration {
				t.Errorf("duration %v, first byte %v", o.Duration, o.FirstByte)
			}
			o.Duration, o.FirstByte = 0, 0
			want := httpmw.Outcome{
				Method: "GET", Route: "/users/{id}", OperationName: "GET /users/{id}", Status: 418, BytesOut: 5,
			}
			if d := cmp.Diff(want, o); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestObserversSeeEveryEnd, also of requests without a span.
func TestObserversSeeEveryEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		h       http.HandlerFunc
		kind    string
		isError bool
	}{
		"panic":  {func(http.ResponseWriter, *http.Request) { panic("boom") }, "panic", true},
		"abort":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "aborted", false},
		"goexit": {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "goexit", true},
		"500":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "500", true},
		"404":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "", false},
	} {
		for traced, tracer := range map[string]opentracing.Tracer{"traced": spantest.New(t), "no-op": opentracing.NoopTracer{}} {
			t.Run(name+", "+traced, func(t *testing.T) {
				w := &watcher{}
				h := httpmw.Middleware(tracer, httpmw.WithObserver(w))(tt.h)
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { recover() }()
					handle(h, "BREW", "/")
				}()
				<-done
				if len(w.ended) != 1 || w.ended[0].ErrorType != tt.kind || w.ended[0].IsError != tt.isError || w.ended[0].Method != "_OTHER" {
					t.Errorf("ended %+v", w.ended)
				}
			})
		}
	}
}

// result is an observer or a hook that logs IsError, sets it and may panic.
type result struct {
	name  string
	log   *[]string
	set   bool
	panic bool
}

func (j result) hook(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) {
	*j.log = append(*j.log, fmt.Sprint(j.name, o.IsError, o.Status))
	o.IsError, o.Status = j.set, 999
	if j.panic {
		panic(j.name)
	}
}

func (j result) Started(*http.Request) { *j.log = append(*j.log, j.name+" started") }
func (j result) Ended(r *http.Request, span opentracing.Span, o *httpmw.Outcome) {
	j.hook(span, r, o)
}

// TestHooksAddUp: observers come after hooks, each sees IsError as the one before left it, and what one does to the rest
// of the outcome is lost.
func TestHooksAddUp(t *testing.T) {
	var log []string
	a, b, c, d := result{"a ", &log, true, false}, result{"b ", &log, false, false}, result{"c ", &log, true, true}, result{"d ", &log, true, false}
	tracer := spantest.New(t)
	inner := httpmw.Middleware(tracer, httpmw.WithOutcome(d.hook), httpmw.WithObserver(&b), httpmw.WithObserver(&a))
	outer := httpmw.Middleware(tracer, httpmw.WithOutcome(a.hook), httpmw.WithObserver(&b), httpmw.WithOutcome(nil), httpmw.WithOutcome(c.hook))
	h := outer(inner(outer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }))))
	handle(h, "GET", "/")
	want := []string{"b  started", "a  started", "a false 404", "c true 404", "d true 404", "b true 404", "a false 404"}
	if d := cmp.Diff(want, log); d != "" {
		t.Error(d)
	}
	wantTags(t, oneDespitePanics(t, tracer), map[string]any{"error": true, "error.type": "404", "http.status_code": uint16(404), "spanloom.hook_panics": 1})
}

// TestHooksOfLateMiddlewares: one that runs when the request has ended makes a span of its own.
func TestHooksOfLateMiddlewares(t *testing.T) {
	tracer, w := spantest.New(t), &watcher{}
	inner := httpmw.Middleware(tracer, httpmw.WithObserver(w))(http.HandlerFunc(ok))
	var late *http.Request
	handle(httpmw.Middleware(tracer)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { late = r })), "GET", "/")
	inner.ServeHTTP(httptest.NewRecorder(), late)
	if n := len(tracer.Finished()); n != 2 || w.started != 1 || len(w.ended) != 1 {
		t.Errorf("%d spans, %d started, %d ended", n, w.started, len(w.ended))
	}
}

// The policy decides about statuses, and only about them.
func TestTheErrorPolicyDecidesAboutStatusesAlone(t *testing.T) {
	policy := httpmw.WithErrorPolicy(func(r *http.Request, client bool, status int) bool {
		if client {
			t.Error("a server is no client")
		}
		return strings.HasPrefix(r.URL.Path, "/strict") && status >= 400
	})
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	for name, tt := range map[string]struct {
		path string
		h    http.HandlerFunc
		opts []httpmw.ServerOption
		want map[string]any
	}{
		"strict 404": {"/strict", status(404), nil, map[string]any{"error": true, "error.type": "404"}},
		"lax 500":    {"/lax", status(500), nil, map[string]any{"error": nil, "error.type": nil, "otel.status_code": "OK"}},
		"lax panic":  {"/lax", func(http.ResponseWriter, *http.Request) { panic("x") }, nil, map[string]any{"error": true, "error.type": "panic"}},
		"hook after": {"/strict", status(404), []httpmw.ServerOption{httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) {
			o.IsError = !o.IsError
		})}, map[string]any{"error": nil}},
		"nil": {"/strict", status(404), []httpmw.ServerOption{httpmw.WithErrorPolicy(nil)}, map[string]any{"error": true}},
		"panics": {"/", status(503), []httpmw.ServerOption{httpmw.WithErrorPolicy(func(*http.Request, bool, int) bool { panic("x") })},
			map[string]any{"error": true, "spanloom.hook_panics": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			wantTags(t, servedDespitePanics(t, tt.h, request("GET", tt.path), append([]httpmw.ServerOption{policy}, tt.opts...)...), tt.want)
		})
	}
}

// TestObserversCostOneAllocation of an outcome, whatever their number.
func TestObserversCostOneAllocation(t *testing.T) {
	skipUnderRace(t)
	tracer := engine(t, never)
	r := browserRequest()
	base := allocs(chiHandler(httpmw.Middleware(tracer)), r)
	got := allocs(chiHandler(httpmw.Middleware(tracer, httpmw.WithObserver(idle{}), httpmw.WithObserver(&idle{}))), r)
	if got > base+1 {
		t.Errorf("%v allocations, %v without observers", got, base)
	}
}

type idle struct{}

func (idle) Started(*http.Request)                                  {}
func (idle) Ended(*http.Request, opentracing.Span, *httpmw.Outcome) {}
