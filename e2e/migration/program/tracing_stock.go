//go:build !moved

package main

import (
	"io"
	"net/http"

	"github.com/gorilla/mux"
	"github.com/opentracing-contrib/go-grpc"
	"github.com/opentracing-contrib/go-stdlib/nethttp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics"
	"google.golang.org/grpc"
)

func start(cfg config.Configuration, factory metrics.Factory) (opentracing.Tracer, io.Closer, error) {
	return cfg.NewTracer(config.Metrics(factory))
}

func traceHandler(tracer opentracing.Tracer, h http.Handler) http.Handler {
	return nethttp.Middleware(tracer, h)
}

func newClient(opentracing.Tracer) *http.Client {
	return &http.Client{Transport: &nethttp.Transport{}}
}

func do(tracer opentracing.Tracer, client *http.Client, req *http.Request) (*http.Response, error) {
	req, ht := nethttp.TraceRequest(tracer, req)
	defer ht.Finish()
	return client.Do(req)
}

func serverOptions(tracer opentracing.Tracer) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.UnaryInterceptor(otgrpc.OpenTracingServerInterceptor(tracer))}
}

func dialOptions(tracer opentracing.Tracer) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithUnaryInterceptor(otgrpc.OpenTracingClientInterceptor(tracer))}
}

func traceMux(tracer opentracing.Tracer, r *mux.Router) http.Handler {
	return nethttp.Middleware(tracer, r)
}
