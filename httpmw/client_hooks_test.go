package httpmw_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
)

// diary is an observer that writes down what it is notified of.
type diary struct {
	mu   sync.Mutex
	name string
	log  *[]string
}

func (d *diary) Started(r *http.Request) { d.note("%s starts %s", d.name, r.URL.Path) }

func (d *diary) Ended(r *http.Request, span opentracing.Span, o *httpmw.Outcome) {
	d.note("%s ends %s %s %d %q span=%t error=%t", d.name, r.URL.Path, o.Method, o.Status, o.ErrorType, span != nil, o.IsError)
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*d.log = append(*d.log, fmt.Sprintf(format, args...))
}

// Observers are notified of every request, whether it is traced or not, once.
func TestClientObserversSeeEveryRequestOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		noop   bool
		path   string
		status int
		err    error
		want   string
	}{
		"traced":   {path: "/x", status: 200, want: `A ends /x GET 200 "" span=true error=false`},
		"fails":    {path: "/x", status: 503, want: `A ends /x GET 503 "503" span=true error=true`},
		"broken":   {path: "/x", err: errors.New("boom"), want: `A ends /x GET 0 "*errors.errorString" span=true error=true`},
		"filtered": {path: "/healthz", status: 404, want: `A ends /healthz GET 404 "404" span=false error=true`},
		"no-op":    {noop: true, path: "/x", status: 200, want: `A ends /x GET 200 "" span=false error=false`},
	} {
		for transports := 1; transports <= 2; transports++ {
			t.Run(fmt.Sprint(name, transports), func(t *testing.T) {
				var log []string
				var tracer opentracing.Tracer = opentracing.NoopTracer{}
				if !tt.noop {
					tracer = spantest.New(t)
				}
				rt := http.RoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
					if log = append(log, "sent"); tt.err != nil {
						return nil, tt.err
					}
					return reply(tt.status, text("hello"))(r)
				}))
				observer := httpmw.WithObserver(&diary{name: "A", log: &log})
				for range transports {
					rt = httpmw.Transport(tracer, rt, observer,
						httpmw.WithFilter(func(r *http.Request) bool { return r.URL.Path != "/healthz" }))
				}
				if resp, err := rt.RoundTrip(newGet(t.Context(), "http://a.example"+tt.path)); err == nil {
					log = append(log, "received")
					io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				want := []string{"A starts " + tt.path, "sent", "received", tt.want}
				if tt.err != nil {
					want = []string{"A starts " + tt.path, "sent", tt.want}
				}
				if d := cmp.Diff(want, log); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestClientHooksAddUp over options and over transports, each once for each span, and see what the one before decided.
func TestClientHooksAddUp(t *testing.T) {
	var calls []string
	hook := func(name string, isError bool) httpmw.ClientOption {
		return httpmw.WithOutcome(func(span opentracing.Span, r *http.Request, o *httpmw.Outcome) {
			calls = append(calls, fmt.Sprint(name, o.IsError, r.Method, span != nil))
			o.Status, o.IsError = 1, isError
		})
	}
	broken := httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { panic("hook") })
	tracer := spantest.New(t)
	inner := httpmw.Transport(tracer, reply(404, http.NoBody), hook("c", true))
	again := roundTripper(func(r *http.Request) (*http.Response, error) {
		inner.RoundTrip(r.Clone(r.Context())) // as a transport does that retries
		return inner.RoundTrip(r.Clone(r.Context()))
	})
	policy := httpmw.WithErrorPolicy(func(_ *http.Request, client bool, status int) bool { return !client || status != 404 })
	rt := httpmw.Transport(tracer, again, hook("a", true), broken, hook("b", false), policy)
	rt.RoundTrip(newGet(t.Context(), "http://a.example/"))
	if got, want := strings.Join(calls, " "), "afalseGETtrue btrueGETtrue cfalseGETtrue"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	wantTags(t, oneDespitePanics(t, tracer), map[string]any{"error": true, "http.status_code": uint16(404), "spanloom.hook_panics": 1})
}

// statusObserver is what jaeger's rpcmetrics does: it counts by tags, also of spans that are not sampled.
type statusObserver struct{ tags map[string]any }

func (o *statusObserver) OnStartSpan(opentracing.Span, string, opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	return o, true
}
func (o *statusObserver) OnSetOperationName(string)          {}
func (o *statusObserver) OnSetTag(key string, value any)     { o.tags[key] = value }
func (o *statusObserver) OnFinish(opentracing.FinishOptions) {}

func TestObserversOfUnsampledClientSpans(t *testing.T) {
	o := &statusObserver{map[string]any{}}
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(false), jaeger.NewNullReporter(), jaeger.TracerOptions.ContribObserver(o), testspans.Finished(t))
	defer closer.Close()
	resp, _ := httpmw.Transport(tracer, reply(503, text("x"))).RoundTrip(newGet(t.Context(), "http://a.example/"))
	resp.Body.Close()
	if o.tags["http.status_code"] != uint16(503) || o.tags["error"] != true {
		t.Errorf("tags %v", o.tags)
	}
}

// TestHooksThatSend requests of their own, in the context of the request that has just ended, make spans of their own.
func TestHooksThatSend(t *testing.T) {
	tracer := spantest.New(t)
	var rt http.RoundTripper
	rt = httpmw.Transport(tracer, reply(200, http.NoBody), httpmw.WithOutcome(func(_ opentracing.Span, r *http.Request, _ *httpmw.Outcome) {
		if r.URL.Path == "/x" {
			rt.RoundTrip(newGet(r.Context(), "http://hook.example/"))
		}
	}))
	rt.RoundTrip(newGet(t.Context(), "http://a.example/x"))
	if got := len(tracer.Finished()); got != 2 {
		t.Errorf("%d spans, want 2", got)
	}
}
