package carrier_test

import (
	"fmt"
	"net/http"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// A service that stands between an OpenTelemetry caller and a Jaeger one: it reads W3C and writes both.
func Example() {
	propagator, err := carrier.New(carrier.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), propagator.TracerOptions()...)
	defer closer.Close()

	incoming := http.Header{}
	incoming.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	incoming.Set("tracestate", "congo=t61rcWkgMzE")
	parent, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(incoming))
	if err != nil {
		fmt.Println(err)
		return
	}
	span := tracer.StartSpan("GET /orders", opentracing.ChildOf(parent))
	defer span.Finish()

	outgoing := http.Header{}
	_ = tracer.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(outgoing))
	fmt.Println(outgoing.Get("traceparent")[:36])
	fmt.Println(outgoing.Get("tracestate"))
	fmt.Println(outgoing.Get("uber-trace-id")[:33])
	// Output:
	// 00-0af7651916cd43dd8448eb211c80319c-
	// congo=t61rcWkgMzE
	// 0af7651916cd43dd8448eb211c80319c:
}

// B3 for a mesh that speaks nothing else; of the baggage, only one key leaves the house.
func ExampleNew() {
	b3 := []carrier.Format{carrier.B3}
	p, err := carrier.New(carrier.Config{
		Extract: b3,
		Inject:  b3,
		Baggage: carrier.Baggage{AllowOut: func(key string) bool { return key == "tenant" }},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, map[string]string{"tenant": "acme", "user": "42"})
	h := http.Header{}
	_ = p.Inject(sc, h)
	fmt.Println(h)
	// Output: map[B3:[00000000000000ab-00000000000000cd-1] Baggage:[tenant=acme]]
}

func ExampleParse() {
	formats, err := carrier.Parse("tracecontext, baggage, b3")
	fmt.Println(formats, err)
	// Output: [tracecontext b3] <nil>
}

func ExampleTraceID() {
	sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, nil)
	fmt.Println(carrier.TraceID(sc), carrier.SpanID(sc))
	// Output: 000000000000000000000000000000ab 00000000000000cd
}

// Message headers are a carrier too.
func ExampleMulti() {
	p, err := carrier.New(carrier.Config{Inject: []carrier.Format{carrier.W3C}})
	if err != nil {
		fmt.Println(err)
		return
	}
	message := carrier.Multi{"traceparent": {"stale", "twice"}}
	_ = p.Inject(jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, nil), message)
	fmt.Println(message)
	// Output: map[traceparent:[00-000000000000000000000000000000ab-00000000000000cd-01]]
}

func ExamplePropagator_Stats() {
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = p.Extract(http.Header{"Uber-Trace-Id": {"::::"}})
	fmt.Println(err)
	fmt.Println(p.Stats().Malformed[carrier.Jaeger])
	// Output:
	// opentracing: SpanContext data corrupted in Extract carrier
	// 1
}

// A caller may force the sampling of its traces, whatever the sampler decides, at most ten times a second.
func ExampleLimitDebug() {
	p, err := carrier.New(carrier.Config{Debug: carrier.LimitDebug(10)})
	if err != nil {
		fmt.Println(err)
		return
	}
	sc, err := p.Extract(http.Header{"Uber-Trace-Id": {"ab:cd:0:3"}})
	fmt.Println(sc.IsDebug(), err)
	// Output: true <nil>
}

func ExamplePropagator_TraceState() {
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sc, err := p.Extract(http.Header{
		"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		"Tracestate":  {"rojo=1", "congo=2"},
	})
	fmt.Println(p.TraceState(sc), err)
	// Output: rojo=1,congo=2 <nil>
}
