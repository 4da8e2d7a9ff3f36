package prommw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

func ExampleNew() {
	metrics := prommw.New(prommw.Config{})
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {})
	handler := httpmw.Middleware(nil, metrics.HTTPServer())(mux)
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/7", nil))

	families, _ := registry.Gather()
	for _, f := range families {
		for _, m := range f.Metric {
			if h := m.Histogram; h != nil {
				fmt.Println(f.GetName(), m.Label[1].GetValue(), m.Label[3].GetValue(), m.Label[2].GetValue(), h.GetSampleCount())
			}
		}
	}
	// Output:
	// http_server_request_duration_seconds GET /users/{id} 200 1
}

func ExampleNewStatsCollector() {
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop", Local: true, Disabled: true})
	if err != nil {
		panic(err)
	}
	defer tracer.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prommw.NewStatsCollector(tracer))
	tracer.StartSpan("work").Finish()

	families, err := registry.Gather()
	for _, f := range families {
		if f.GetName() == "spanloom_spans_open" {
			fmt.Println(f.GetName(), f.Metric[0].GetGauge().GetValue(), err)
		}
	}
	// Output:
	// spanloom_spans_open 0 <nil>
}
