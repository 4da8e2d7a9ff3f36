package jaegercfg

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-client-go/thrift-gen/sampling"
	"github.com/uber/jaeger-lib/metrics/metricstest"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a tracer that ends with the test.
func start(t *testing.T, cfg config.Configuration, opts ...config.Option) *tracerinit.Tracer {
	t.Helper()
	before := opentracing.GlobalTracer()
	tracer, err := Start(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		_ = tracer.Close()
		opentracing.SetGlobalTracer(before)
	})
	return tracer
}

func alwaysConst() *config.SamplerConfig { return &config.SamplerConfig{Type: "const", Param: 1} }

// collector keeps the requests it gets.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	headers  []http.Header
	bodies   []string
	statuses []int // to answer with, else 202
}

func newCollector(t *testing.T, statuses ...int) *collector {
	c := &collector{statuses: statuses}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.headers, c.bodies = append(c.headers, r.Header), append(c.bodies, string(body))
		status := http.StatusAccepted
		if len(c.statuses) > 0 {
			status, c.statuses = c.statuses[0], c.statuses[1:]
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(c.Close)
	return c
}

func flush(t *testing.T, tracer *tracerinit.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tracer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestSpansArriveWithTagsHeadersAndPassword(t *testing.T) {
	c := newCollector(t)
	tracer := start(t, config.Configuration{
		ServiceName: "shop", Sampler: alwaysConst(), Tags: []opentracing.Tag{{Key: "region", Value: "north"}},
		Reporter: &config.ReporterConfig{
			CollectorEndpoint: c.URL + "/api/traces", User: "u", Password: "p", HTTPHeaders: map[string]string{
				"X-Tenant": "acme",
			},
		},
	}, config.Tag("build", "42"))
	if opentracing.GlobalTracer() != opentracing.Tracer(tracer) {
		t.Error("the tracer is not the global one")
	}
	tracer.StartSpan("op").Finish()
	flush(t, tracer)
	c.mu.Lock()
	defer c.mu.Unlock()
	user, password, _ := (&http.Request{Header: c.headers[0]}).BasicAuth()
	if user != "u" || password != "p" || c.headers[0].Get("X-Tenant") != "acme" {
		t.Errorf("%v", c.headers[0])
	}
	for _, part := range []string{"shop", "op", "region", "north", "build", "42"} {
		if !strings.Contains(c.bodies[0], part) {
			t.Errorf("no %s in the batch", part)
		}
	}
}

func TestMetricsAgreeWithTheStockTracer(t *testing.T) {
	work := func(tracer opentracing.Tracer) {
		for i := range 5 {
			root := tracer.StartSpan("GET /", ext.SpanKindRPCServer)
			if i == 0 {
				ext.Error.Set(root, true)
			}
			tracer.StartSpan("child", opentracing.ChildOf(root.Context())).Finish()
			root.SetBaggageItem("k", "v")
			root.Finish()
		}
		unsampled := tracer.StartSpan("GET /", ext.SpanKindRPCServer)
		ext.SamplingPriority.Set(unsampled, 0)
		unsampled.Finish()
	}
	cfg := config.Configuration{ServiceName: "shop", Sampler: alwaysConst(), RPCMetrics: true}
	cfg.Reporter = &config.ReporterConfig{CollectorEndpoint: newCollector(t).URL}
	stock := metricstest.NewFactory(0)
	tracer, closer, err := cfg.NewTracer(config.Metrics(stock))
	if err != nil {
		t.Fatal(err)
	}
	work(tracer)
	closer.Close()

	ours := metricstest.NewFactory(0)
	kit := start(t, cfg, config.Metrics(ours))
	work(kit)
	if err := kit.Close(); err != nil {
		t.Fatal(err)
	}
	want, _ := stock.Snapshot()
	got, _ := ours.Snapshot()
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %d, the stock tracer has %d", name, got[name], n)
		}
	}
	if len(want) < 8 {
		t.Errorf("only %d metrics: %v", len(want), want)
	}
}

func TestLostSpansAreCountedInMetricsAndLogged(t *testing.T) {
	c := newCollector(t, 403)
	factory := metricstest.NewFactory(0)
	logger := &lines{}
	tracer := start(t, config.Configuration{
		ServiceName: "shop", Sampler: alwaysConst(), Reporter: &config.ReporterConfig{CollectorEndpoint: c.URL},
	},
		config.Metrics(factory), config.Logger(logger))
	tracer.StartSpan("op").Finish()
	flush(t, tracer)
	_ = tracer.Close()
	if counters, _ := factory.Snapshot(); counters["jaeger.tracer.reporter_spans|result=err"] != 1 {
		t.Errorf("%v", counters)
	}
	if got := logger.String(); !strings.Contains(got, "ERROR spans are not delivered") ||
		!strings.Contains(got, "refused=1") {
		t.Errorf("logged %q", got)
	}
}

// lines is a logger of jaeger-client-go.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
}

func (l *lines) Error(msg string)              { l.add("ERROR " + msg) }
func (l *lines) Infof(format string, a ...any) { l.add("INFO " + fmt.Sprintf(format, a...)) }
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

// byName samples traces that begin with a span of its name.
type byName string

func (b byName) IsSampled(_ jaeger.TraceID, operation string) (bool, []jaeger.Tag) {
	return operation == string(b), nil
}
func (byName) Close()                    {}
func (byName) Equal(jaeger.Sampler) bool { return false }

func TestSamplersOfTheOptions(t *testing.T) {
	perOperation := jaeger.NewPerOperationSampler(jaeger.PerOperationSamplerParams{
		MaxOperations: 10, Strategies: &sampling.PerOperationSamplingStrategies{
			PerOperationStrategies: []*sampling.OperationSamplingStrategy{
				{Operation: "a", ProbabilisticSampling: &sampling.ProbabilisticSamplingStrategy{SamplingRate: 1}},
			},
		},
	})
	probabilistic, _ := jaeger.NewProbabilisticSampler(0.25)
	for name, c := range map[string]struct {
		sampler jaeger.Sampler
		shown   string
		keep    map[string]bool
	}{
		"const":         {jaeger.NewConstSampler(true), "always", map[string]bool{"a": true}},
		"never":         {jaeger.NewConstSampler(false), "never", map[string]bool{"a": false}},
		"probabilistic": {probabilistic, "ratio 0.25", nil},
		"rate limiting": {
			jaeger.NewRateLimitingSampler(1), "custom *jaeger.RateLimitingSampler", map[string]bool{"a": true},
		},
		"old interface": {byName("a"), "custom jaegercfg.byName", map[string]bool{"a": true, "b": false}},
		"per operation": {perOperation, "custom *jaeger.PerOperationSampler", map[string]bool{"a": true}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := start(
				t, config.Configuration{ServiceName: "x", Sampler: alwaysConst()}, config.Sampler(c.sampler),
				config.Reporter(jaeger.NewNullReporter()),
			)
			for _, s := range tracer.Settings() {
				if s.Name == "sampler" && s.Value != c.shown {
					t.Errorf("the sampler is %s, want %s", s.Value, c.shown)
				}
			}
			for operation, want := range c.keep {
				span := tracer.StartSpan(operation)
				if got := span.Context().(jaeger.SpanContext).IsSampled(); got != want {
					t.Errorf("%s: sampled %t", operation, got)
				}
				span.Finish()
			}
		})
	}
}

func TestLateBindingUsesTheStockSampler(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"strategyType":"PROBABILISTIC","operationSampling":{"defaultSamplingProbability":0,
			"perOperationStrategies":[{"operation":"late","probabilisticSampling":{"samplingRate":1}}]}}`)
	}))
	t.Cleanup(server.Close)
	tracer := start(t, config.Configuration{
		ServiceName: "x", Sampler: &config.SamplerConfig{
			SamplingServerURL: server.URL, SamplingRefreshInterval: time.Millisecond, OperationNameLateBinding: true,
		},
	}, config.Reporter(jaeger.NewNullReporter()))
	deadline := time.Now().Add(10 * time.Second)
	for sampled := false; !sampled; {
		span := tracer.StartSpan("early")
		span.SetOperationName("late")
		sampled = span.Context().(jaeger.SpanContext).IsSampled()
		span.Finish()
		if time.Now().After(deadline) {
			t.Fatal("a name that was set late is never sampled")
		}
	}
}
