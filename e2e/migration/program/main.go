// Command program is traced in one of two ways: as programs are that use jaeger-client-go's config, nethttp and otgrpc,
// or, with the build tag moved, by this kit. It serves and calls itself, and prints its metrics as JSON. Only the files
// tracing_stock.go and tracing_moved.go differ.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics/metricstest"
)

var scenarios = map[string]func(opentracing.Tracer) error{
	"shop": runShop, "codes": runCodes, "queue": runQueue, "mux": runMux,
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(scenario string) error {
	factory := metricstest.NewFactory(0)
	tracer, closer, err := start(config.Configuration{
		ServiceName: "shop",
		RPCMetrics:  true,
		Sampler:     &config.SamplerConfig{Type: "const", Param: 1},
		Reporter:    &config.ReporterConfig{CollectorEndpoint: os.Getenv("COLLECTOR")},
	}, factory)
	if err != nil {
		return err
	}
	opentracing.SetGlobalTracer(tracer)
	if err := scenarios[scenario](tracer); err != nil {
		return err
	}
	if err := closer.Close(); err != nil {
		return err
	}
	counters, _ := factory.Snapshot()
	return json.NewEncoder(os.Stdout).Encode(counters)
}
