package main

import (
	"net/http"
	"strings"
)

// strategies answers Jaeger's clients what to sample: everything. Without an answer those that are configured for
// remote sampling, which is the default of several of them, send one trace in a thousand. The address / is that of
// older clients, which read the kind of a strategy as a number.
// https://www.jaegertracing.io/docs/1.76/architecture/sampling/#remote-sampling
func strategies() http.Handler {
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("service") == "" {
				http.Error(w, "spanview: the parameter service is missing", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body)) // the client has gone
		}
	}
	mux := http.NewServeMux()
	const all = `,"probabilisticSampling":{"samplingRate":1}}`
	mux.HandleFunc("GET /sampling", answer(`{"strategyType":"PROBABILISTIC"`+all))
	mux.HandleFunc("GET /api/sampling", answer(`{"strategyType":"PROBABILISTIC"`+all))
	mux.HandleFunc("GET /{$}", answer(`{"strategyType":0`+all))
	mux.HandleFunc("GET /baggageRestrictions", answer(`[]`))
	return mux
}

// collectorOf serves what Jaeger's collector does: thrift, and strategies.
func collectorOf(view http.Handler) http.Handler {
	thrift, sampling := only(view, "/api/traces", ""), strategies()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/sampling" {
			sampling.ServeHTTP(w, r)
			return
		}
		thrift.ServeHTTP(w, r)
	})
}

// zipkinOf serves version 2 of Zipkin's API, and says so to clients of version 1.
func zipkinOf(view http.Handler) http.Handler {
	spans := only(view, "/api/v2/spans", "")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/") {
			http.Error(w, "spanview reads version 2 of Zipkin's JSON, not version 1: send spans to /api/v2/spans. "+
				"Zipkin's libraries call it JSON_V2.", http.StatusNotFound)
			return
		}
		spans.ServeHTTP(w, r)
	})
}
