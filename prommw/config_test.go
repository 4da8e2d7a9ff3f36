package prommw_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestWrongConfigurationsPanicAtOnce and say what is wrong: a panic when the first request ends would be recovered, and
// its metrics missing.
func TestWrongConfigurationsPanicAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  prommw.Config
		want string
	}{
		"falling buckets":  {prommw.Config{Buckets: []float64{1, .5}}, "Buckets"},
		"equal buckets":    {prommw.Config{Buckets: []float64{1, 1}}, "Buckets"},
		"no number":        {prommw.Config{Buckets: []float64{math.NaN()}}, "Buckets"},
		"factor below 1":   {prommw.Config{NativeFactor: .5}, "NativeFactor"},
		"factor of 1":      {prommw.Config{NativeFactor: 1}, "NativeFactor"},
		"factor no number": {prommw.Config{NativeFactor: math.NaN()}, "NativeFactor"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "prommw: "+tt.want) {
					t.Errorf("panic %q, want one that names %s", text, tt.want)
				}
			}()
			prommw.New(tt.cfg)
		})
	}
}

func TestUnusualConfigurationsWork(t *testing.T) {
	for name, cfg := range map[string]prommw.Config{
		"no buckets":           {Buckets: []float64{}},
		"no buckets of either": {Buckets: []float64{}, NativeFactor: -1},
		"one bucket":           {Buckets: []float64{math.Inf(1)}},
		"all switched off":     {NativeFactor: -1, MaxSeries: -1, Exemplars: -1},
	} {
		t.Run(name, func(t *testing.T) {
			m := prommw.New(cfg)
			serve(m)
			if n := requests(gather(t, m, "http_server_request_duration_seconds")); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// serve serves one request.
func serve(m *prommw.Metrics) {
	handler := httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// Registering twice is an error, and is possible again after the metrics are unregistered.
func TestMetricsAreRegisteredOnce(t *testing.T) {
	tracer, _ := start(t, tracerinit.Always(), false)
	for name, tt := range map[string]struct{ first, second prometheus.Collector }{
		"the same metrics": {prommw.New(prommw.Config{}), nil},
		"other metrics":    {prommw.New(prommw.Config{}), prommw.New(prommw.Config{})},
		"other buckets":    {prommw.New(prommw.Config{}), prommw.New(prommw.Config{Buckets: []float64{1}})},
		"stats":            {prommw.NewStatsCollector(tracer), prommw.NewStatsCollector(tracer)},
		"no stats":         {prommw.NewStatsCollector(nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.second == nil {
				tt.second = tt.first
			}
			registry := prometheus.NewPedanticRegistry()
			if err := registry.Register(tt.first); err != nil {
				t.Fatal(err)
			}
			var already prometheus.AlreadyRegisteredError
			if err := registry.Register(tt.second); !errors.As(err, &already) || already.ExistingCollector != tt.first {
				t.Errorf("registered twice: %v", err)
			}
			if !registry.Unregister(tt.first) {
				t.Error("cannot be unregistered")
			}
			if err := registry.Register(tt.second); err != nil {
				t.Errorf("registered again: %v", err)
			}
			if _, err := registry.Gather(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPrefixesAndLabelsOfARegisterer hold for all metrics, so that a program may have several.
func TestPrefixesAndLabelsOfARegisterer(t *testing.T) {
	tracer, _ := start(t, tracerinit.Always(), false)
	registry := prometheus.NewPedanticRegistry()
	for _, shop := range []string{"a", "b"} {
		m := prommw.New(prommw.Config{})
		serve(m)
		wrapped := prometheus.WrapRegistererWith(prometheus.Labels{"shop": shop}, prometheus.WrapRegistererWithPrefix("acme_", registry))
		wrapped.MustRegister(m, prommw.NewStatsCollector(tracer))
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if !strings.HasPrefix(f.GetName(), "acme_") || label(m, "shop") == "" {
				t.Errorf("%s %v has no prefix or no label", f.GetName(), m)
			}
		}
		if f.GetName() == "acme_http_server_request_duration_seconds" && len(f.Metric) != 2 {
			t.Errorf("%d series of requests, want 2", len(f.Metric))
		}
	}
	if len(families) < 10 {
		t.Errorf("%d families", len(families))
	}
}
