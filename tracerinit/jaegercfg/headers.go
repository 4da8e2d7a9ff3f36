package jaegercfg

import (
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// headerNames makes the headers of the configuration those of the Jaeger format.
func headerNames(c *tracerinit.Config, headers *jaeger.HeadersConfig) {
	if headers != nil {
		c.Propagation.Jaeger = *headers
	}
}
