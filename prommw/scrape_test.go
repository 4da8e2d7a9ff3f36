package prommw_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

var discard = log.New(io.Discard, "", 0)

func scrape(t *testing.T, accept string, c ...prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c...)
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", accept)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestAScrapeHasRequestsSpansAndExemplars(t *testing.T) {
	tracer, _ := start(t, tracerinit.Always(), false)
	m := prommw.New(prommw.Config{})
	handler := httpmw.Middleware(tracer, m.HTTPServer())(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	stats := prommw.NewStatsCollector(tracer)

	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scrape(t, "text/plain", m, stats)))
	if err != nil {
		t.Fatal(err)
	}
	if n := requests(families["http_server_request_duration_seconds"].GetMetric()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if n := families["spanloom_spans_started_total"].GetMetric()[0].Counter.GetValue(); n != 1 {
		t.Errorf("%v spans started, want 1", n)
	}
	open := scrape(t, "application/openmetrics-text; version=1.0.0", m, stats)
	if !strings.Contains(open, `trace_id="`) || !strings.HasSuffix(open, "# EOF\n") {
		t.Errorf("no exemplar, or no end, in\n%s", open)
	}
}

func TestNativeHistogramsAreBesideTheClassic(t *testing.T) {
	for name, tt := range map[string]struct {
		factor float64
		native bool
	}{"default": {0, true}, "off": {-1, false}} {
		t.Run(name, func(t *testing.T) {
			m := prommw.New(prommw.Config{NativeFactor: tt.factor})
			httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.NotFoundHandler()).
				ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			h := gather(t, m, "http_server_request_duration_seconds")[0].Histogram
			if (h.Schema != nil) != tt.native || len(h.Bucket) != 14 {
				t.Errorf("schema %v, %d classic buckets", h.Schema, len(h.Bucket))
			}
		})
	}
}

func TestSeriesHaveAnExemplarASecond(t *testing.T) {
	tracer, memory := start(t, tracerinit.Always(), false)
	m := prommw.New(prommw.Config{})
	handler := httpmw.Middleware(tracer, m.HTTPServer())(http.NotFoundHandler())
	for range 3 {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	ids := exemplars(gather(t, m, "http_server_request_duration_seconds"))
	checkExemplars(t, ids, memory.GetSpans()[:1])
}

// TestMetricsAreReadWhileTheyAreWritten by requests of many methods, of which each may be the first.
func TestMetricsAreReadWhileTheyAreWritten(t *testing.T) {
	tracer, _ := start(t, tracerinit.Always(), false)
	m := prommw.New(prommw.Config{MaxSeries: 20})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m, prommw.NewStatsCollector(tracer))
	handler := httpmw.Middleware(tracer, m.HTTPServer())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpmw.SetRoute(r, r.URL.Path)
	}))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprintf("/%d/%d", i, j), nil))
			}
		})
		wg.Go(func() {
			for range 20 {
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := requests(gather(t, m, "http_server_request_duration_seconds")); n != 400 {
		t.Errorf("%d requests, want 400", n)
	}
}

func TestFailuresOfTheTransportAreCounted(t *testing.T) {
	m := prommw.New(prommw.Config{})
	base := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") })
	client := httpmw.Transport(opentracing.NoopTracer{}, base, m.HTTPClient())
	client.RoundTrip(httptest.NewRequest("GET", "http://x/", nil))
	got := gather(t, m, "http_client_request_duration_seconds")
	if requests(got) != 1 || label(got[0], "error_type") == "" || label(got[0], "http_response_status_code") != "" {
		t.Errorf("got %v", got)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
