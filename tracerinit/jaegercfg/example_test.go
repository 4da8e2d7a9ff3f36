package jaegercfg_test

import (
	"fmt"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config" // many programs call this one jaegercfg

	"github.com/spanloom/spanloom/tracerinit/jaegercfg"
)

// The stock package is imported under its own name, config, and this one as jaegercfg. A program in which jaegercfg is
// the stock package keeps that, and imports this one under another name:
//
//	jaegercfg "github.com/uber/jaeger-client-go/config"
//	kit "github.com/spanloom/spanloom/tracerinit/jaegercfg"
func ExampleStart() {
	spans := jaeger.NewInMemoryReporter()
	cfg := config.Configuration{
		ServiceName: "shop",
		Sampler:     &config.SamplerConfig{Type: "const", Param: 1},
	}
	tracer, err := jaegercfg.Start(cfg, config.Reporter(spans), config.Tag("region", "north"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()
	tracer.StartSpan("op").Finish()
	fmt.Println(spans.SpansSubmitted(), "span")
	// Output:
	// 1 span
}

// What the stock configuration cannot say is set in between.
func ExampleConvert() {
	c, err := jaegercfg.Convert(config.Configuration{
		ServiceName: "shop",
		Sampler:     &config.SamplerConfig{Type: "probabilistic", Param: 0.25},
		Reporter:    &config.ReporterConfig{CollectorEndpoint: "http://collector:14268/api/traces"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Local = true
	fmt.Println(c.Service, c.Sampler, len(c.Exporters))
	// Output:
	// shop ratio 0.25 1
}

// Environment variables win over the fields.
func ExampleStartFromEnv() {
	cfg := config.Configuration{ServiceName: "shop", Disabled: true}
	tracer, err := jaegercfg.StartFromEnv(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()
	fmt.Println(tracer.Settings()[0])
	// Output:
	// service = shop (code)
}
