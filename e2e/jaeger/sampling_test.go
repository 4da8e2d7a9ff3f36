package jaeger_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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

// TestRemoteSampling changes Jaeger's strategies while a service runs, and counts which requests are sampled.
func TestRemoteSampling(t *testing.T) {
	backend := jaeger.Start(t)
	for name, url := range map[string]string{
		"types by number":         backend.Sampling + "/",
		"types by name":           backend.Sampling + "/sampling",
		"types by name, no agent": backend.Collector + "/api/sampling",
	} {
		t.Run(name, func(t *testing.T) { follows(t, backend, url) })
	}
}

func follows(t *testing.T, backend *jaeger.Jaeger, url string) {
	backend.SetStrategies(t, strategies(`"type": "probabilistic", "param": 0`))
	reporter := client.NewInMemoryReporter()
	tracer := start(t, tracerinit.Config{
		Service: "sampled", Reporters: []client.Reporter{reporter},
		Sampler: tracerinit.Remote(url, tracerinit.RemoteOptions{Interval: 30 * time.Millisecond, Initial: tracerinit.Always()}),
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
		{`"type": "probabilistic", "param": 0, "operation_strategies": [{"operation": "GET /{name}", "type": "probabilistic", "param": 1}]`, [2]int{10, 0}},
		{`"type": "probabilistic", "param": 1, "operation_strategies": [{"operation": "GET /{name}", "type": "probabilistic", "param": 0}]`, [2]int{0, 10}},
		{`"type": "ratelimiting", "param": 1000`, [2]int{10, 10}},
		{`"type": "probabilistic", "param": 0`, [2]int{0, 0}},
	} {
		backend.SetStrategies(t, strategies(step.strategy))
		wait.For(t, 10*time.Second, fmt.Sprintf("sampling of %v by %s", step.want, step.strategy), func() (any, bool) {
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

// TestRemoteSampling_of_a_program sets the sampler up by the environment, as a deployment does.
func TestRemoteSampling_of_a_program(t *testing.T) {
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
		wait.For(t, 10*time.Second, fmt.Sprint("sampling of ", share), func() (any, bool) {
			id := front.Ask(t, "GET", "/products/7/reviews", "", 200)
			// A caller's decision is kept, so this one always arrives, and after the one before it.
			asked++
			marker := fmt.Sprintf("4bf92f3577b34da6a3ce929d0e0e%04x", asked)
			front.Ask(t, "GET", "/products/7/reviews", "", 200, "traceparent", "00-"+marker+"-00f067aa0ba902b7-01")
			backend.Trace(t, marker, 1)
			return id, backend.Has(t, id) == (share == 1)
		})
	}
}
