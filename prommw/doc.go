// Package prommw counts and times the requests and RPCs of httpmw and grpcmw for Prometheus, traced or not, with the
// trace of a sampled one as an exemplar.
//
//	metrics := prommw.New(prommw.Config{})
//	prometheus.MustRegister(metrics, prommw.NewStatsCollector(tracer))
//	handler := httpmw.Middleware(tracer, metrics.HTTPServer())(mux)
//
// Names are those of OpenTelemetry, as its Prometheus exporter spells them:
//
//	http_server_request_duration_seconds  http_request_method, http_route, http_response_status_code, error_type
//	http_client_request_duration_seconds  http_request_method, url_template, http_response_status_code, error_type
//	rpc_server_call_duration_seconds      rpc_method, rpc_response_status_code, error_type
//	rpc_client_call_duration_seconds      rpc_method, rpc_response_status_code, error_type
//	http_server_active_requests, http_client_active_requests, rpc_server_active_calls, rpc_client_active_calls
//
// The _count of a histogram is the number of requests, and those with an error_type are errors. A request that a span
// would not mark as failed may have an error_type, too: "aborted" if the client went away. The gauges have no labels:
// a handler may change the method of its request, and a gauge by method would then drift. There are no addresses of
// peers among the labels.
//
// On a client, a request lasts until its body is read or closed.
//
// [Config.MaxSeries] bounds the series of each histogram. What is over it is counted under _OTHER, and in
// prommw_overflowed_observations_total. Exemplars are served in the OpenMetrics format only, see
// [github.com/prometheus/client_golang/prometheus/promhttp.HandlerOpts]. The file dashboard.json is for Grafana.
package prommw
