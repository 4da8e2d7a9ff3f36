//go:build moved

package main

import (
	"io"
	"net/http"

	"github.com/gorilla/mux"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit/jaegercfg"
)

func start(cfg config.Configuration, factory metrics.Factory) (opentracing.Tracer, io.Closer, error) {
	tracer, err := jaegercfg.Start(cfg, config.Metrics(factory))
	return tracer, tracer, err
}

func traceHandler(tracer opentracing.Tracer, h http.Handler) http.Handler {
	return httpmw.Middleware(tracer)(h)
}

func newClient(tracer opentracing.Tracer) *http.Client { return httpmw.Client(tracer, nil) }

func do(_ opentracing.Tracer, client *http.Client, req *http.Request) (*http.Response, error) {
	return client.Do(req)
}

func serverOptions(tracer opentracing.Tracer) []grpc.ServerOption {
	return grpcmw.ServerOptions(tracer)
}
func dialOptions(tracer opentracing.Tracer) []grpc.DialOption { return grpcmw.DialOptions(tracer) }

func traceMux(tracer opentracing.Tracer, r *mux.Router) http.Handler {
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if template, err := mux.CurrentRoute(req).GetPathTemplate(); err == nil {
				httpmw.SetRoute(req, template)
			}
			next.ServeHTTP(w, req)
		})
	})
	return httpmw.Middleware(tracer)(r)
}
