package carrier_test

import (
	"fmt"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// newMessageTracer returns a tracer that writes uber-trace-id alone, and the context of a span with an item of
// baggage.
func newMessageTracer() (opentracing.Tracer, opentracing.SpanContext) {
	list := []carrier.Format{carrier.Jaeger}
	p, err := carrier.New(carrier.Config{Extract: list, Inject: list})
	if err != nil {
		panic(err)
	}
	tracer, _ := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), p.TracerOptions()...)
	return tracer, jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, map[string]string{"tenant": "a+b"})
}

// NATS has headers of the same shape as HTTP: nats.Header converts to Multi.
func ExampleMulti_nats() {
	tracer, span := newMessageTracer()
	header := map[string][]string{"Nats-Msg-Id": {"7"}} // a nats.Header
	_ = tracer.Inject(span, opentracing.TextMap, carrier.Multi(header))
	fmt.Println(header["uber-trace-id"], header["uberctx-tenant"])

	received, err := tracer.Extract(opentracing.TextMap, carrier.Multi(header))
	fmt.Println(carrier.SpanID(received), err)
	// Output:
	// [00000000000000ab:00000000000000cd:0000000000000000:1] [a+b]
	// 00000000000000cd <nil>
}

// Kafka has a list of keys and bytes, for which each client library has a type of its own.
func ExampleList_kafka() {
	type Header struct { // as in github.com/segmentio/kafka-go and github.com/twmb/franz-go
		Key   string
		Value []byte
	}
	headersOf := func(message *[]Header) carrier.List[Header] {
		return carrier.List[Header]{
			Headers: message,
			Read:    func(h Header) (string, []byte) { return h.Key, h.Value },
			Make:    func(key string, value []byte) Header { return Header{key, value} },
		}
	}
	tracer, span := newMessageTracer()
	message := []Header{{"content-type", []byte("json")}, {"uber-trace-id", []byte("stale")}}
	_ = tracer.Inject(span, opentracing.TextMap, headersOf(&message))
	for _, h := range message {
		fmt.Printf("%s: %s\n", h.Key, h.Value)
	}

	received, err := tracer.Extract(opentracing.TextMap, headersOf(&message))
	fmt.Println(carrier.SpanID(received), err)
	// Output:
	// content-type: json
	// uber-trace-id: 00000000000000ab:00000000000000cd:0000000000000000:1
	// uberctx-tenant: a+b
	// 00000000000000cd <nil>
}

// AMQP has values of several types: amqp.Table converts to Table.
func ExampleTable_amqp() {
	tracer, span := newMessageTracer()
	table := map[string]any{"x-retries": int32(3)} // an amqp.Table
	_ = tracer.Inject(span, opentracing.TextMap, carrier.Table(table))
	fmt.Println(table["x-retries"], table["uber-trace-id"], table["uberctx-tenant"])

	received, err := tracer.Extract(opentracing.TextMap, carrier.Table(table))
	fmt.Println(carrier.SpanID(received), err)
	// Output:
	// 3 00000000000000ab:00000000000000cd:0000000000000000:1 a+b
	// 00000000000000cd <nil>
}

// Options registers a Propagator with a tracer that another package makes: with jaeger-client-go's config,
// carrier.Options(p, config.Injector, config.Extractor).
func ExampleOptions() {
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	options := carrier.Options(p, jaeger.TracerOptions.Injector, jaeger.TracerOptions.Extractor)
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), options...)
	defer closer.Close()
	headers := opentracing.TextMapCarrier{}
	_ = tracer.Inject(jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, nil), opentracing.HTTPHeaders, headers)
	fmt.Println(len(options), headers["traceparent"])
	// Output: 6 00-000000000000000000000000000000ab-00000000000000cd-01
}
