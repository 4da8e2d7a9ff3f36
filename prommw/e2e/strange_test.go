package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

const (
	strangers = 10_000
	maxSeries = 100
)

var families = []string{
	"http_server_request_duration_seconds", "http_client_request_duration_seconds",
	"rpc_server_call_duration_seconds", "rpc_client_call_duration_seconds",
}

// strange are parts of names that formats and their parsers stumble over.
var strange = []string{
	"\xff\xfe", "\x00", "\n", "\r\n", `"`, `\`, `\n`, "{}", `",x="`, "# EOF\n", "é", "\u2028", "\U0001F600", " ", ",", "=", "\t", "\u202e",
	strings.Repeat("é", 200), strings.Repeat("\xff", 1<<10), strings.Repeat("x", 64<<10),
}

// visit makes requests and RPCs of strangers: methods, routes, errors and names that no one has seen before.
func visit(m *prommw.Metrics, n int) {
	tracer := opentracing.NoopTracer{}
	handler := httpmw.Middleware(tracer, m.HTTPServer())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpmw.SetRoute(r, r.URL.Path)
	}))
	client := httpmw.Transport(tracer, roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, io.ErrUnexpectedEOF
	}), m.HTTPClient())
	unary := grpcmw.UnaryServerInterceptor(tracer, m.GRPCServer())
	call := grpcmw.UnaryClientInterceptor(tracer, m.GRPCClient())
	for i := range n {
		name := fmt.Sprintf("/%d%s%[1]d", i, strange[i%len(strange)])
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL.Path = name, name
		handler.ServeHTTP(httptest.NewRecorder(), r)
		client.RoundTrip(r.WithContext(httpmw.ContextWithRoute(r.Context(), name)))
		unary(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: name},
			func(context.Context, any) (any, error) { return nil, nil })
		call(context.Background(), name, nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
				return status.Error(codes.Code(i), name)
			})
	}
}

// newTracer returns a tracer with an exporter that reaches nobody, and a reporter.
func newTracer(t *testing.T) *tracerinit.Tracer {
	t.Helper()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, LookupEnv: func(string) (string, bool) { return "", false },
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP("http://127.0.0.1:1")},
		Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		tracer.Shutdown(ended)
	})
	return tracer
}

func scrape(t testing.TB, accept string, c ...prometheus.Collector) (text []byte, contentType string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c...)
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", accept)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes(), w.Header().Get("Content-Type")
}

// TestStrangersStayWithinTheLimit in what Prometheus reads of a scrape, in each of its formats.
func TestStrangersStayWithinTheLimit(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: maxSeries})
	visit(m, strangers)
	tracer := newTracer(t)
	tracer.StartSpan("op").Finish()
	for name, accept := range map[string]string{
		"text": "text/plain; version=0.0.4", "text, any names": "text/plain; version=1.0.0; escaping=allow-utf-8",
		"OpenMetrics": openMetrics, "protobuf": string(expfmt.NewFormat(expfmt.TypeProtoDelim)),
	} {
		t.Run(name, func(t *testing.T) {
			text, contentType := scrape(t, accept, m, prommw.NewStatsCollector(tracer))
			series, observations := map[string]int{}, map[string]float64{}
			over, counted := map[string]float64{}, map[string]float64{}
			for _, s := range parse(t, text, contentType) {
				name := s.labels.Get(model.MetricNameLabel)
				base, isCount := strings.CutSuffix(name, "_count")
				switch {
				case isCount:
					series[base]++
					observations[base] += s.value
					if isOverflow(s.labels) {
						over[base] += s.value
					}
				case name == "spanloom_spans_started_total":
					observations[name] += s.value
				case name == "prommw_overflowed_observations_total":
					counted[s.labels.Get("metric")] = s.value
				}
				s.labels.Range(func(l labels.Label) {
					if !utf8.ValidString(l.Value) || len(l.Value) > 1<<10 {
						t.Errorf("%s has a label %s of %d bytes: %.50q", name, l.Name, len(l.Value), l.Value)
					}
				})
			}
			if n := observations["spanloom_spans_started_total"]; n != 1 {
				t.Errorf("%v spans started, want 1", n)
			}
			for _, family := range families {
				if series[family] > maxSeries+2 || observations[family] != strangers {
					t.Errorf("%s: %d series with %v observations, want at most %d with %d",
						family, series[family], observations[family], maxSeries+2, strangers)
				}
				if over[family] == 0 || over[family] != counted[family] {
					t.Errorf("%s: %v observations over the limit, %v counted", family, over[family], counted[family])
				}
			}
		})
	}
}

// isOverflow reports whether a series is that of what is over the limit.
func isOverflow(l labels.Labels) bool {
	return (l.Get("http_request_method") == "_OTHER" || l.Get("rpc_method") == "_OTHER") &&
		(l.Get("http_route") == "_OTHER" || l.Get("url_template") == "_OTHER" || l.Has("rpc_method")) &&
		l.Get("http_response_status_code") == "" && l.Get("rpc_response_status_code") == ""
}

// TestTheParserOfClientGolangReadsStrangers as well.
func TestTheParserOfClientGolangReadsStrangers(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: maxSeries})
	visit(m, 1000)
	text, _ := scrape(t, "text/plain; version=0.0.4", m)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	got, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		var n uint64
		for _, m := range got[family].GetMetric() {
			n += m.Histogram.GetSampleCount()
		}
		if n != 1000 || got[family].GetType() != dto.MetricType_HISTOGRAM {
			t.Errorf("%s: %d observations, type %v", family, n, got[family].GetType())
		}
	}
}

// TestStrangersTakeNoMemory beyond that of the series: neither more of them nor longer names.
func TestStrangersTakeNoMemory(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: maxSeries})
	visit(m, 1000)
	before := heap()
	visit(m, 4*strangers)
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap has grown by %d KiB with %d requests of strangers", grown>>10, 16*strangers)
	}
	if size := before; size > 64<<20 {
		t.Errorf("the heap has %d MiB", size>>20)
	}
	runtime.KeepAlive(m)
}

// TestSeriesKeepNoRequests: a long name that has a series of its own is not kept whole.
func TestSeriesKeepNoRequests(t *testing.T) {
	m := prommw.New(prommw.Config{})
	before := heap()
	handler := httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpmw.SetRoute(r, r.URL.Path)
	}))
	for i := range 200 {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = fmt.Sprint("/", i) + strings.Repeat("x", 1<<20)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("200 series of long names take %d MiB", grown>>20)
	}
	runtime.KeepAlive(m)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
