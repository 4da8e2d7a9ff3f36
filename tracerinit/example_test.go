package tracerinit_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// noEnv keeps the examples independent of the environment they run in.
func noEnv(string) (string, bool) { return "", false }

// A tracer for one purpose: not the global one, and its spans stay in memory.
func ExampleStart() {
	spans := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service:   "storefront",
		Local:     true,
		Reporters: []jaeger.Reporter{spans},
		LookupEnv: noEnv,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()

	checkout := tracer.StartSpan("checkout")
	tracer.StartSpan("charge card", opentracing.ChildOf(checkout.Context())).Finish()
	checkout.Finish()

	for _, span := range spans.GetSpans() {
		fmt.Println(span.(*jaeger.Span).OperationName())
	}
	// Output:
	// charge card
	// checkout
}

// The error names everything that is wrong at once.
func ExampleStart_wrong() {
	variables := map[string]string{"JAEGER_SAMPLER_TYPE": "sometimes", "OTEL_BSP_MAX_QUEUE_SIZE": "lots"}
	_, err := tracerinit.Start(tracerinit.Config{
		Local:     true,
		LookupEnv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	fmt.Println(err)
	// Output:
	// tracerinit: JAEGER_SAMPLER_TYPE="sometimes": want one of const, probabilistic, ratelimiting, remote
	// OTEL_BSP_MAX_QUEUE_SIZE="lots": want a whole number from 1 to 2147483647
}

func ExampleTracer_Settings() {
	variables := map[string]string{"JAEGER_SAMPLER_TYPE": "probabilistic", "JAEGER_SAMPLER_PARAM": "0.1"}
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local:     true,
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP("http://vendor.example/adapt_s3cr3t/api/otlp/traces")},
		LookupEnv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()
	for _, s := range tracer.Settings() {
		if s.Name == "sampler" || s.Name == "exporter" || strings.HasPrefix(s.Name, "queue.") {
			fmt.Println(s)
		}
	}
	// Output:
	// sampler = ratio 0.1 (JAEGER_SAMPLER_TYPE)
	// exporter = otlp/http http://vendor.example/*** (code)
	// queue.size = 8192 (default)
	// queue.batch = 512 (default)
	// queue.bytes = 67108864 (default)
	// queue.interval = 1s (default)
	// queue.timeout = 10s (default)
	// queue.overflow = drop-newest (default)
}

func ExampleTracer_Stats() {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local:     true,
		Sampler:   tracerinit.Never(),
		Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
		LookupEnv: noEnv,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()

	tracer.StartSpan("not sampled").Finish()
	tracer.StartSpan("asked for", opentracing.Tag{Key: "sampling.priority", Value: 1}).Finish()
	tracer.StartSpan("still open")

	s := tracer.Stats()
	fmt.Println(s.Started, "=", s.Open, "+", s.Unsampled, "+", s.Reported)
	// Output:
	// 3 = 1 + 1 + 1
}

// Shutdown keeps its deadline, whatever the network does.
func ExampleTracer_Shutdown() {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local:     true,
		Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1/api/traces")},
		LookupEnv: noEnv,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tracer.StartSpan("lost").Finish()

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(tracer.Shutdown(ctx))
	e := tracer.Stats().Exporters[0]
	fmt.Println(e.Reported, "=", e.Delivered, "+", e.Dropped.Total())
	// Output:
	// jaeger/http: shutdown: 1 spans not delivered in time
	// 1 = 0 + 1
}

func ExampleRemote() {
	sampler := tracerinit.Remote("http://localhost:5778", tracerinit.RemoteOptions{
		Interval: 30 * time.Second,
		Initial:  tracerinit.Ratio(0.01), // until the server has answered
	})
	fmt.Println(sampler)
	// Output:
	// remote http://localhost:5778/sampling
}

func ExampleRatio() {
	fmt.Println(tracerinit.Ratio(0.1), tracerinit.RateLimit(5), tracerinit.Always(), tracerinit.Never())
	// Output:
	// ratio 0.1 at most 5/s always never
}

// byRoute records every trace that begins with one operation, and no other.
type byRoute struct {
	jaeger.SamplerV2Base
	operation string
}

func (s byRoute) OnCreateSpan(span *jaeger.Span) jaeger.SamplingDecision {
	return s.OnSetOperationName(span, span.OperationName())
}

func (s byRoute) OnSetOperationName(_ *jaeger.Span, name string) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Sample: name == s.operation}
}

func (byRoute) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

func (byRoute) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// A sampler of the program's own, in the interface of jaeger-client-go.
func ExampleCustomSampler() {
	spans := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service:   "shop",
		Sampler:   tracerinit.CustomSampler(byRoute{operation: "POST /orders"}),
		Reporters: []jaeger.Reporter{spans},
		Local:     true,
		LookupEnv: noEnv,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()
	tracer.StartSpan("GET /health").Finish()
	tracer.StartSpan("POST /orders").Finish()
	fmt.Println(spans.SpansSubmitted(), "span")
	// Output:
	// 1 span
}

// A sampler that a program has built with jaeger-client-go.
func ExampleJaegerSampler() {
	stock, err := jaeger.NewProbabilisticSampler(0.25)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tracerinit.JaegerSampler(stock))
	fmt.Println(tracerinit.JaegerSampler(jaeger.NewRateLimitingSampler(10)))
	// Output:
	// ratio 0.25
	// custom *jaeger.RateLimitingSampler
}
