package jaegercfg

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// headerNames makes the headers of the configuration those that contexts travel in.
func headerNames(c *tracerinit.Config, headers *jaeger.HeadersConfig) {
	if headers == nil || *headers == (jaeger.HeadersConfig{}) {
		return
	}
	names := headers.ApplyDefaults()
	for format, codec := range map[any]*jaeger.TextMapPropagator{
		opentracing.HTTPHeaders: jaeger.NewHTTPHeaderPropagator(names, *metricsOf(c)),
		opentracing.TextMap:     jaeger.NewTextMapPropagator(names, *metricsOf(c)),
	} {
		c.TracerOptions = append(c.TracerOptions,
			jaeger.TracerOptions.Injector(format, codec), jaeger.TracerOptions.Extractor(format, codec))
	}
}
