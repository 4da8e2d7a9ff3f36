package e2e

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/trace"
)

// produceAndConsume sends a record through a fake Kafka, and works on it in the span of its processing.
func produceAndConsume(t *testing.T, tr tracing, opts ...kotel.TracerOpt) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	tracer := kotel.NewTracer(append(opts, kotel.TracerProvider(tr), kotel.TracerPropagator(tr))...)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("orders"),
		kgo.WithHooks(kotel.NewKotel(kotel.WithTracer(tracer)).Hooks()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, end := tr.Span(t.Context(), "order")
	sent := &kgo.Record{Topic: "orders", Key: []byte("7"), Value: []byte("tea")}
	if err := client.ProduceSync(ctx, sent).FirstErr(); err != nil {
		t.Fatal(err)
	}
	end()
	fetches := client.PollFetches(t.Context())
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	fetches.EachRecord(func(r *kgo.Record) { process(t, tr, tracer, r) })
}

func process(t *testing.T, tr tracing, tracer *kotel.Tracer, r *kgo.Record) {
	t.Helper()
	ctx, span := tracer.WithProcessSpan(r)
	if got := trace.SpanContextFromContext(ctx); !got.Equal(span.SpanContext()) {
		t.Errorf("the processing sees %v, want %v", got, span.SpanContext())
	}
	_, end := tr.Span(context.WithoutCancel(ctx), "work of the record")
	end()
	span.End()
}

func TestSpansOfKotelAreInTheTrace(t *testing.T) {
	for name, opts := range map[string][]kotel.TracerOpt{"children": nil, "links": {kotel.LinkSpans()}} {
		t.Run(name, func(t *testing.T) {
			compareWithSDK(t, func(t *testing.T, tr tracing) { produceAndConsume(t, tr, opts...) })
		})
	}
}
