package jaeger_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	client "github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/shop"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestJaegersStrategiesAreFollowedAsTheyChange changes Jaeger's strategies while a service runs, and counts which requests are sampled.
func TestJaegersStrategiesAreFollowedAsTheyChange(t *testing.T) {
	backend := jaeger.Start(t)
	for name, url := range map[string]string{
		"types by number":         backend.Sampling + "/",
		"types by name":           backend.Sampling + "/sampling",
		"types by name, no agent": backend.Collector + "/api/sampling",
		"gRPC":                    "http://" + backend.GRPC,
	} {
		if jaeger.Version2 && url == backend.Collector+"/api/sampling" {
			continue // v2 answers samplers on a port of their own alone
		}
		t.Run(name, func(t *testing.T) { follows(t, backend, url) })
	}
}

func follows(t *testing.T, backend *jaeger.Jaeger, url string) {
	backend.SetStrategies(t, strategies(`"type": "probabilistic", "param": 0`))
	reporter := client.NewInMemoryReporter()
	tracer := start(t, tracerinit.Config{
		Service: "sampled", Reporters: []client.Reporter{reporter},
		Sampler: tracerinit.Remote(
			url, tracerinit.RemoteOptions{Interval: 30 * time.Millisecond, Initial: tracerinit.Always()},
		),
	})
	router := chi.NewRouter()
	router.Use(httpmw.Middleware(tracer))
	router.Get("/{name}", func(http.ResponseWriter, *http.Request) {})

	for _, step := range []struct {
		strategy string
		want     [2]int // sampled of ten requests to /{name}, and of ten spans of another name
	}{
		{`"type": "probabilistic", "param": 0`, [2]int{0, 0}},
		{`"type": "probabilistic", "param": 1`, [2]int{10, 10}},
		{
			`"type": "probabilistic", "param": 0, ` + operation("GET /{name}", 1),
			[2]int{10, 0},
		},
		{
			`"type": "probabilistic", "param": 1, ` + operation("GET /{name}", 0),
			[2]int{0, 10},
		},
		{`"type": "ratelimiting", "param": 1000`, [2]int{10, 10}},
		{`"type": "probabilistic", "param": 0`, [2]int{0, 0}},
	} {
		backend.SetStrategies(t, strategies(step.strategy))
		wait.For(t, fmt.Sprintf("sampling of %v by %s", step.want, step.strategy), func() (any, bool) {
			got := [2]int{
				count(reporter, func(i int) {
					router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprint("/x", i), nil))
				}),
				count(reporter, func(int) { tracer.StartSpan("job").Finish() }),
			}
			return fmt.Sprint(got, tracer.Stats().Sampler), got == step.want
		})
	}
	if s := tracer.Stats().Sampler; s.Failed != 0 || s.Changed < 5 {
		t.Errorf("asking went badly: %+v", s)
	}
	shutdown(t, tracer)
}

// operation is the strategy of one operation, in a file of Jaeger's.
func operation(name string, probability int) string {
	return fmt.Sprintf(`"operation_strategies": [{"operation": %q, "type": "probabilistic", "param": %d}]`, name, probability)
}

func strategies(of string) string {
	return fmt.Sprintf(`{"service_strategies": [{"service": "sampled", %s}, {"service": "storefront", %s}],
		"default_strategy": {"type": "probabilistic", "param": 1}}`, of, of)
}

func count(reporter *client.InMemoryReporter, request func(int)) int {
	reporter.Reset()
	for i := range 10 {
		request(i)
	}
	return reporter.SpansSubmitted()
}

// TestTheEnvironmentSetsUpRemoteSampling sets the sampler up by the environment, as a deployment does.
func TestTheEnvironmentSetsUpRemoteSampling(t *testing.T) {
	backend := jaeger.Start(t)
	backend.SetStrategies(t, strategies(`"type": "probabilistic", "param": 0`))
	front := shop.StartStorefront(t, []string{
		"JAEGER_SAMPLER_TYPE=remote", "JAEGER_SAMPLING_ENDPOINT=" + backend.Sampling + "/sampling",
		"JAEGER_SAMPLER_REFRESH_INTERVAL=50ms", "JAEGER_SAMPLER_PARAM=0", "JAEGER_REPORTER_FLUSH_INTERVAL=20ms",
		"JAEGER_ENDPOINT=" + backend.Collector + "/api/traces",
	})
	asked := 0
	for _, share := range []int{1, 0, 1} {
		backend.SetStrategies(t, strategies(fmt.Sprintf(`"type": "probabilistic", "param": %d`, share)))
		wait.For(t, fmt.Sprint("sampling of ", share), func() (any, bool) {
			id := front.Request(t, "GET", "/products/7/reviews", "", 200)
			// A caller's decision is kept, so this one always arrives, and after the one before it.
			asked++
			marker := fmt.Sprintf("4bf92f3577b34da6a3ce929d0e0e%04x", asked)
			front.Request(t, "GET", "/products/7/reviews", "", 200, "traceparent", "00-"+marker+"-00f067aa0ba902b7-01")
			backend.Trace(t, marker, 1)
			return id, backend.Has(t, id) == (share == 1)
		})
	}
}

// TestALimitedServiceWithOperations fetches from Jaeger the strategy of a rate-limited service while the service, or the
// default strategy, lists operations. What is not listed keeps the service's limiter.
func TestALimitedServiceWithOperations(t *testing.T) {
	backend := jaeger.Start(t)
	const service = `{"service": "limited", "type": "ratelimiting", "param": %d%s}`
	const operations = `, "operation_strategies": [{"operation": "never", "type": "probabilistic", "param": 0}]`
	for name, c := range map[string]struct {
		limit int // differs, so that one answer is not taken for the other
		file  string
	}{
		"of its own": {1000, `{"service_strategies": [` + fmt.Sprintf(service, 1000, operations) + `],
			"default_strategy": {"type": "probabilistic", "param": 0}}`},
		"of the default strategy": {999, `{"service_strategies": [` + fmt.Sprintf(service, 999, "") + `],
			"default_strategy": {"type": "probabilistic", "param": 0` + operations + `}}`},
	} {
		t.Run(name, func(t *testing.T) {
			backend.SetStrategies(t, c.file)
			reporter := client.NewInMemoryReporter()
			tracer := start(t, tracerinit.Config{
				Service: "limited", Reporters: []client.Reporter{reporter},
				Sampler: tracerinit.Remote(backend.Sampling+"/sampling", tracerinit.RemoteOptions{
					Interval: 30 * time.Millisecond, Initial: tracerinit.Never(),
				}),
			})
			var answer string
			wait.For(t, "the limiter", func() (any, bool) {
				answer = strategyOf(t, backend.Sampling, "limited")
				return answer, strings.Contains(answer, fmt.Sprintf(`"maxTracesPerSecond":%d`, c.limit)) &&
					tracer.Stats().Sampler.Changed > 0
			})
			listed := strings.Contains(answer, "perOperationStrategies")
			wait.For(t, "spans by "+answer, func() (any, bool) {
				never := count(reporter, func(int) { tracer.StartSpan("never").Finish() })
				other := count(reporter, func(int) { tracer.StartSpan("other").Finish() })
				return fmt.Sprint(never, other, listed), other == 10 && (never == 0) == listed
			})
			t.Log(answer)
			shutdown(t, tracer)
		})
	}
}

// strategyOf returns Jaeger's answer as it stands.
func strategyOf(t *testing.T, server, service string) string {
	t.Helper()
	resp, err := http.Get(server + "/sampling?service=" + service)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
