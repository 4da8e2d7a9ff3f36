// Package collector_test sends spans to a real OpenTelemetry Collector that is addressed by a name, so that exporters
// do what they do off loopback, and compares what was sent with what arrived.
package collector_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	client "github.com/uber/jaeger-client-go"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/spanloom/spanloom/e2e/internal/collector"
	"github.com/spanloom/spanloom/e2e/internal/names"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// roads are the exporters to a collector that is called "collector", with compression by default and by option.
func roads(c *collector.Collector) map[string]tracerinit.Exporter {
	names.Add("collector:4318", c.OTLPHTTP)
	names.Add("collector:4317", c.OTLPGRPC)
	names.Add("collector:14268", c.ThriftHTTP)
	return map[string]tracerinit.Exporter{
		"otlp http":            tracerinit.OTLPHTTP("http://collector:4318"),
		"otlp http plain":      tracerinit.OTLPHTTP("http://collector:4318", tracerinit.WithoutCompression()),
		"otlp grpc":            otlpgrpc.New("collector:4317"),
		"otlp grpc plain":      otlpgrpc.New("collector:4317", otlpgrpc.WithoutCompression()),
		"thrift http":          tracerinit.JaegerHTTP("http://collector:14268"),
		"thrift http and gzip": tracerinit.JaegerHTTP("http://collector:14268", tracerinit.WithCompression()),
		"thrift udp":           tracerinit.JaegerUDP(c.ThriftUDP),
	}
}

func start(t *testing.T, e tracerinit.Exporter, q tracerinit.Queue, logger slog.Handler) *tracerinit.Tracer {
	t.Helper()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Exporters: []tracerinit.Exporter{e}, Queue: q, Logger: slog.New(logger),
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close() })
	return tracer
}

func flush(t *testing.T, tracer *tracerinit.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := tracer.Flush(ctx); err != nil {
		t.Errorf("%v: %+v", err, tracer.Stats().Exporters)
	}
}

// TestWhatIsSentArrives compares a span field by field.
func TestWhatIsSentArrives(t *testing.T) {
	c := collector.Start(t)
	c.Run(t, false)
	for road, e := range roads(c) {
		t.Run(road, func(t *testing.T) {
			var out strings.Builder
			tracer := start(t, e, tracerinit.Queue{}, slog.NewTextHandler(&out, nil))
			begun := time.Now().Truncate(time.Microsecond)
			root := tracer.StartSpan("root of "+road, opentracing.StartTime(begun), ext.SpanKindRPCServer)
			span := tracer.StartSpan(road, opentracing.ChildOf(root.Context()), opentracing.StartTime(begun), ext.SpanKindRPCClient)
			span.SetTag("text", "ünï").SetTag("int", -7).SetTag("float", 0.25).SetTag("yes", true).SetTag("cause", errors.New("why"))
			span.LogFields(log.Event("retry"), log.Int("attempt", 2))
			span.FinishWithOptions(opentracing.FinishOptions{FinishTime: begun.Add(1500 * time.Microsecond)})
			root.Finish()
			flush(t, tracer)
			var got collector.Span
			wait.For(t, "the span", func() (any, bool) {
				all := c.Spans(t)[road]
				if len(all) == 1 {
					got = all[0]
				}
				return len(all), len(all) == 1
			})
			sc := span.Context().(client.SpanContext)
			want := map[string]string{
				"trace": fmt.Sprintf("%016x%016x", sc.TraceID().High, sc.TraceID().Low), "span": fmt.Sprintf("%016x", uint64(sc.SpanID())),
				"parent": fmt.Sprintf("%016x", uint64(sc.ParentID())), "service": "shop", "kind": "SPAN_KIND_CLIENT",
				"start": fmt.Sprint(begun.UnixNano()), "lasted": "1.5ms",
				"tag text": "ünï", "tag int": "-7", "tag float": "0.25", "tag yes": "true", "tag cause": "why",
				"event": "retry", "field attempt": "2",
			}
			if diff := cmp.Diff(want, fields(got)); diff != "" {
				t.Errorf("-sent +arrived:\n%s", diff)
			}
			if s := tracer.Stats().Exporters[0]; s.Delivered != 2 || s.Failures != 0 || out.Len() > 0 {
				t.Errorf("%+v, log: %s", s, out.String())
			}
		})
	}
}

// fields are the parts of a span that every road carries.
func fields(s collector.Span) map[string]string {
	m := map[string]string{
		"trace": hex.EncodeToString(s.TraceId), "span": hex.EncodeToString(s.SpanId), "parent": hex.EncodeToString(s.ParentSpanId),
		"service": s.Service, "kind": tracepb.Span_SpanKind_name[int32(s.Kind)], "start": fmt.Sprint(s.StartTimeUnixNano),
		"lasted": time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano).String(),
	}
	for _, kv := range s.Attributes {
		if kv.Key != "sampler.type" && kv.Key != "sampler.param" && kv.Key != "span.kind" {
			m["tag "+kv.Key] = text(kv.Value)
		}
	}
	for _, e := range s.Events {
		m["event"] = e.Name
		for _, kv := range e.Attributes {
			if kv.Key != "event" {
				m["field "+kv.Key] = text(kv.Value)
			}
		}
	}
	return m
}

func text(v *commonpb.AnyValue) string {
	switch v := v.Value.(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	case *commonpb.AnyValue_DoubleValue:
		return fmt.Sprint(v.DoubleValue)
	case *commonpb.AnyValue_BoolValue:
		return fmt.Sprint(v.BoolValue)
	}
	return v.String()
}

// TestARefusingCollectorGetsEverythingInTheEnd fills the collector's memory, then restarts it with room.
func TestARefusingCollectorGetsEverythingInTheEnd(t *testing.T) {
	for road := range roads(collector.Start(t)) {
		if road == "thrift udp" {
			continue // nobody hears of a refusal
		}
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			c := collector.Start(t)
			c.Run(t, true)
			tracer := start(t, direct(c)[road], tracerinit.Queue{Batch: 50}, slog.DiscardHandler)
			const spans = 500
			for i := range spans {
				tracer.StartSpan(fmt.Sprint(road, i)).Finish()
			}
			wait.For(t, "refusals", func() (any, bool) {
				s := tracer.Stats().Exporters[0]
				return s, s.Failures >= 3
			})
			if s := tracer.Stats().Exporters[0]; s.Delivered != 0 || s.Dropped.Total() != 0 || !strings.Contains(s.LastError, "memory") {
				t.Errorf("while it refuses: %+v", s)
			}
			c.Run(t, false)
			flush(t, tracer)
			if got := len(c.Spans(t)); got != spans || tracer.Stats().Exporters[0].Delivered != spans {
				t.Errorf("%d spans arrived: %+v", got, tracer.Stats().Exporters[0])
			}
		})
	}
}

// direct are the roads to a collector by its address, for tests that run at once.
func direct(c *collector.Collector) map[string]tracerinit.Exporter {
	return map[string]tracerinit.Exporter{
		"otlp http":            tracerinit.OTLPHTTP("http://"+c.OTLPHTTP, tracerinit.WithCompression()),
		"otlp http plain":      tracerinit.OTLPHTTP("http://" + c.OTLPHTTP),
		"otlp grpc":            otlpgrpc.New(c.OTLPGRPC, otlpgrpc.WithCompression()),
		"otlp grpc plain":      otlpgrpc.New(c.OTLPGRPC),
		"thrift http":          tracerinit.JaegerHTTP("http://" + c.ThriftHTTP),
		"thrift http and gzip": tracerinit.JaegerHTTP("http://"+c.ThriftHTTP, tracerinit.WithCompression()),
	}
}
