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
//	http_server_active_requests           http_request_method
//	http_client_active_requests           http_request_method
//	rpc_server_active_calls               rpc_method
//	rpc_client_active_calls               rpc_method
//
// The _count of a histogram is the number of requests. Those with an error_type have failed, as their spans say, which
// an outcome hook may have decided; except for the error_type aborted: the client has given the request up, or the
// handler has panicked with [net/http.ErrAbortHandler]. A status that is no failure has no error_type. There are no
// addresses of peers among the labels.
//
// A request is counted once however many middlewares it passes through that have one [Metrics]. On a client, a request
// lasts until its body is read or closed. An RPC that a server refuses before it calls an interceptor, because it has
// no such method or the message is too large, is not counted.
//
// Methods that a stranger may have made up are _OTHER. [Config.MaxSeries] bounds the series of each metric. What is
// over it is counted under _OTHER, too, and in prommw_overflowed_observations_total. Exemplars are served in the
// OpenMetrics format only, see [github.com/prometheus/client_golang/prometheus/promhttp.HandlerOpts]. The file
// dashboard.json is for Grafana.
package prommw
