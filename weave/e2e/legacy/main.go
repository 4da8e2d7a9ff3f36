// Command legacy is a program as services with jaeger-client-go are: its tracer is that of the stock configuration,
// read from the environment, and its handler makes spans by the OpenTracing API. It prints its address, and serves
// until its standard input ends.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/opentracing/opentracing-go"
	jaegerconfig "github.com/uber/jaeger-client-go/config"
)

func main() {
	cfg, err := jaegerconfig.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	cfg.Sampler = &jaegerconfig.SamplerConfig{Type: "const", Param: 1}
	tracer, closer, err := cfg.NewTracer()
	if err != nil {
		log.Fatal(err)
	}
	defer closer.Close()
	opentracing.SetGlobalTracer(tracer)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/order", order("http://"+l.Addr().String()+"/stock"))
	http.HandleFunc("/stock", func(w http.ResponseWriter, r *http.Request) {
		opentracing.StartSpan("look into the stock", opentracing.ChildOf(contextOf(r))).Finish()
		fmt.Fprint(w, "7 in stock")
	})
	srv := &http.Server{}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()

	fmt.Println(l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// order serves orders, for which it fetches stock, an address.
func order(stock string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		span, ctx := opentracing.StartSpanFromContext(r.Context(), "check the order")
		defer span.Finish()
		span.SetTag("customer", "acme")
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, stock, nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	}
}

// contextOf returns the context of the span that r is served in, or nil.
func contextOf(r *http.Request) opentracing.SpanContext {
	if span := opentracing.SpanFromContext(r.Context()); span != nil {
		return span.Context()
	}
	return nil
}
