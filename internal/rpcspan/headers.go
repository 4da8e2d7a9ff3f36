package rpcspan

import (
	"net/http"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// HeaderReader reads the caller's context from HTTP headers. It remembers what it knows of the last tracer. The zero
// value is ready to use, and may be used concurrently.
type HeaderReader struct{ stock atomic.Pointer[stockTracer] }

type stockTracer struct {
	tracer  *jaeger.Tracer
	headers *engine.StockHeaders // nil if its propagator is not that of jaeger-client-go
}

// Remote does what [Remote] does with h.
func (r *HeaderReader) Remote(t opentracing.Tracer, h http.Header) Parent {
	j, ok := t.(*jaeger.Tracer)
	if !ok {
		return Remote(t, opentracing.HTTPHeadersCarrier(h))
	}
	known := r.stock.Load()
	if known == nil || known.tracer != j {
		known = &stockTracer{j, engine.StockHeadersOf(j)}
		r.stock.Store(known)
	}
	if known.headers == nil {
		return Remote(t, opentracing.HTTPHeadersCarrier(h))
	}
	carrier := known.headers.Carrier(h)
	if carrier == nil {
		return Parent{}
	}
	return Remote(t, carrier)
}
