package httpmw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// listening is an observer of jaeger-client-go, as its rpcmetrics are one, that notes the tags of its spans.
type listening struct {
	mu    sync.Mutex
	tags  map[string]any
	names []string
	ends  int
}

func (l *listening) OnStartSpan(_ opentracing.Span, name string, _ opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	l.OnSetOperationName(name)
	return l, true
}

func (l *listening) OnSetOperationName(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
}

func (l *listening) OnSetTag(key string, value any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags[key] = value
}

func (l *listening) OnFinish(opentracing.FinishOptions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
}

// TestOutcomesOfUnsampledSpans reach the observers of a tracer, be it jaeger-client-go's or the kit's.
func TestOutcomesOfUnsampledSpans(t *testing.T) {
	start := map[string]func(t *testing.T, sampled bool, l *listening) opentracing.Tracer{
		"stock": func(t *testing.T, sampled bool, l *listening) opentracing.Tracer {
			tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(sampled), jaeger.NewNullReporter(),
				jaeger.TracerOptions.ContribObserver(l), testspans.Finished(t))
			t.Cleanup(func() { closer.Close() })
			return tracer
		},
		"own": func(t *testing.T, sampled bool, l *listening) opentracing.Tracer {
			sampler := map[bool]tracerinit.Sampler{true: tracerinit.Always(), false: tracerinit.Never()}[sampled]
			tracer, err := tracerinit.Start(tracerinit.Config{
				Local: true, Service: "test", Sampler: sampler, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
				TracerOptions: []jaeger.TracerOption{jaeger.TracerOptions.ContribObserver(l)},
				LookupEnv:     func(string) (string, bool) { return "", false },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { tracer.Close() })
			return tracer
		},
	}
	for name, tracer := range start {
		for _, sampled := range []bool{true, false} {
			for status, failed := range map[int]any{200: nil, 404: nil, 500: true} {
				t.Run(fmt.Sprint(name, sampled, status), func(t *testing.T) {
					l := &listening{tags: map[string]any{}}
					h := httpmw.Middleware(tracer(t, sampled, l))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						httpmw.SetRoute(r, "/users/{id}")
						w.WriteHeader(status)
					}))
					handle(h, "GET", "/users/1")
					if l.tags["http.status_code"] != uint16(status) || l.tags["error"] != failed || l.ends != 1 ||
						l.names[len(l.names)-1] != "GET /users/{id}" {
						t.Errorf("tags %v, names %q, %d ends", l.tags, l.names, l.ends)
					}
				})
			}
		}
	}
}

// Allocations are those of a tracer of jaeger-client-go, above the handler's own.
func TestStockTracersKeepTheirCeilingsOfAllocs(t *testing.T) {
	skipUnderRace(t)
	for _, tt := range []struct {
		name    string
		sampler jaeger.Sampler
		header  []string
		ceiling float64
	}{
		{"sampled root", always, nil, 12},
		{"unsampled root", never, nil, 7},
		{"sampled parent", never, []string{"Uber-Trace-Id", "4bf92f3577b34da6:00f067aa0ba902b7:0:1"}, 18},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, closer := jaeger.NewTracer("test", tt.sampler, jaeger.NewNullReporter(), testspans.Finished(t))
			r := browserRequest(tt.header...)
			got := allocs(chiHandler(httpmw.Middleware(tracer)), r) - allocs(chiHandler(), r)
			t.Logf("%v allocations", got)
			if got > tt.ceiling {
				t.Errorf("%v allocations, want at most %v", got, tt.ceiling)
			}
			closer.Close()
		})
	}
}

// TestStockTracersReadAllHeaders that they know, whatever their case, and change with the global tracer.
func TestStockTracersReadAllHeaders(t *testing.T) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("test", never, reporter, testspans.Finished(t))
	defer closer.Close()
	h := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, opentracing.SpanFromContext(r.Context()).BaggageItem("k"))
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = http.Header{"uber-trace-id": {"4bf92f3577b34da6:00f067aa0ba902b7:0:1"}, "Uberctx-K": {"v"}}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Body.String() != "v" || reporter.SpansSubmitted() != 1 {
		t.Errorf("baggage %q, %d spans", w.Body, reporter.SpansSubmitted())
	}
}
