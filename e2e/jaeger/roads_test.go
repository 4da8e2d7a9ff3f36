package jaeger_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	client "github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// road is one way into a Jaeger of its own.
type road struct {
	name     string
	backend  *jaeger.Jaeger
	exporter tracerinit.Exporter
}

func roads(t *testing.T) []road {
	t.Helper()
	udp, thrift, otlpHTTP, otlpGRPC := jaeger.Start(t), jaeger.Start(t), jaeger.Start(t), jaeger.Start(t)
	return []road{
		{"thrift-http", thrift, tracerinit.JaegerHTTP(thrift.Collector + "/api/traces")},
		{"udp", udp, tracerinit.JaegerUDP(udp.UDP)},
		{"otlp-http", otlpHTTP, tracerinit.OTLPHTTP(otlpHTTP.OTLPHTTP)},
		{"otlp-grpc", otlpGRPC, otlpgrpc.New("http://" + otlpGRPC.OTLPGRPC)},
	}
}

// TestSameTraceByEveryRoad reports the same spans to four Jaegers at once, by UDP, thrift over HTTP, OTLP over HTTP and
// OTLP over gRPC: their query APIs must return the same trace.
func TestSameTraceByEveryRoad(t *testing.T) {
	all := roads(t)
	cfg := tracerinit.Config{
		Service: "roads", Version: "1.2.3", Environment: "test",
		Tags: map[string]any{"text": "ü", "number": 7, "share": 0.5, "flag": true, "big": int64(1) << 60},
	}
	for _, r := range all {
		cfg.Exporters = append(cfg.Exporters, r.exporter)
	}
	tracer := start(t, cfg)
	id, count := everything(tracer)
	shutdown(t, tracer)

	want := all[0].backend.Trace(t, id, count)
	if len(want) != count {
		t.Fatalf("%s stored %d spans, want %d", all[0].name, len(want), count)
	}
	checkWant(t, want)
	for _, r := range all[1:] {
		t.Run(r.name+" equals "+all[0].name, func(t *testing.T) {
			if diff := cmp.Diff(comparable(want, want), comparable(r.backend.Trace(t, id, count), want)); diff != "" {
				t.Errorf("-%s +%s:\n%s", all[0].name, r.name, diff)
			}
		})
	}
}

// otlpOwn are the tags that Jaeger writes from what OTLP says outside of tags: scope, status and the default kind.
var otlpOwn = []string{"otel.scope.name", "otel.scope.version", "otel.status_code", "otel.status_description", "span.kind"}

// comparable leaves out what Jaeger adds because of the road that spans came by, and only that: of otlpOwn, a tag that
// by thrift (spans of the same index) is not there at all.
func comparable(spans, thrift []jaeger.Span) []jaeger.Span {
	spans = slices.Clone(spans)
	for i := range spans {
		s := &spans[i]
		s.Flags = 0 // OTLP has no debug flag
		s.Warnings = slices.Clone(s.Warnings)
		for j, w := range s.Warnings { // v2 quotes times, of which thrift has no nanoseconds
			s.Warnings[j], _, _ = strings.Cut(w, ". Original end")
		}
		s.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(kv jaeger.KeyValue) bool {
			return kv.Key == "internal.span.format" ||
				slices.Contains(otlpOwn, kv.Key) && i < len(thrift) && thrift[i].Tag(kv.Key) == ""
		})
		s.Logs = slices.Clone(s.Logs)
		for j, l := range s.Logs { // OTLP requires a name
			s.Logs[j].Fields = slices.DeleteFunc(slices.Clone(l.Fields), func(kv jaeger.KeyValue) bool {
				return kv.Key == "event" && kv.Value == `"log"`
			})
		}
	}
	return spans
}

// everything makes one trace of all that a span can hold, and returns its id and number of spans.
func everything(tracer opentracing.Tracer) (traceID string, spans int) {
	begin := time.Now()
	root := tracer.StartSpan("GET /root", ext.SpanKindRPCServer, opentracing.StartTime(begin))
	context := root.Context()
	traceID = context.(client.SpanContext).TraceID().String()
	kinds := []opentracing.StartSpanOption{ext.SpanKindRPCClient, ext.SpanKindProducer, ext.SpanKindConsumer, opentracing.Tags{}}
	for i, kind := range kinds {
		child := tracer.StartSpan(fmt.Sprint("kind ", i), opentracing.ChildOf(context), kind)
		child.Finish()
	}
	tagged := tracer.StartSpan("tags", opentracing.ChildOf(context))
	for key, value := range values() {
		tagged.SetTag(key, value)
	}
	tagged.SetTag(strings.Repeat("k", 300), strings.Repeat("v", 5000))
	tagged.Finish()

	logged := tracer.StartSpan("logs", opentracing.ChildOf(context))
	logged.LogFields(log.Event("first"), log.Int("int", 1), log.Bool("bool", true), log.Float64("float", 2.5),
		log.Uint64("uint", 9), log.String("text", "ü"), log.Object("object", []int{1, 2}), log.Error(errors.New("broken")))
	logged.LogFields(log.String("message", "no event"))
	logged.LogKV("event", "last", "at", 3*time.Second)
	logged.SetBaggageItem("user", "u1")
	logged.Finish()

	failed := tracer.StartSpan("failed", opentracing.ChildOf(context))
	ext.Error.Set(failed, true)
	failed.LogFields(log.Event("error"), log.String("error.kind", "*errors.errorString"), log.Message("boom"), log.String("stack", "main.go:1\n"))
	failed.Finish()

	elsewhere := tracer.StartSpan("another trace")
	follower := tracer.StartSpan("follows", opentracing.FollowsFrom(elsewhere.Context()), opentracing.FollowsFrom(failed.Context()))
	follower.Finish()
	elsewhere.Finish()

	at := begin.Add(1234567 * time.Nanosecond)
	instant := tracer.StartSpan("instant", opentracing.ChildOf(context), opentracing.StartTime(at))
	instant.FinishWithOptions(opentracing.FinishOptions{FinishTime: at})
	odd := tracer.StartSpan("odd nanoseconds", opentracing.ChildOf(context), opentracing.StartTime(at))
	odd.FinishWithOptions(opentracing.FinishOptions{FinishTime: at.Add(2345678 * time.Nanosecond), LogRecords: []opentracing.LogRecord{
		{Timestamp: at.Add(345678 * time.Nanosecond), Fields: []log.Field{log.Event("late")}},
	}})
	nameless := tracer.StartSpan("", opentracing.ChildOf(context))
	nameless.Finish()
	unicode := tracer.StartSpan("名前 \"quoted\" \n <b>", opentracing.ChildOf(context))
	unicode.Finish()
	root.FinishWithOptions(opentracing.FinishOptions{FinishTime: begin.Add(1500 * time.Millisecond)})
	return traceID, 1 + len(kinds) + 8
}

type stringer struct{}

func (stringer) String() string { return "I am a stringer" }

func values() map[string]any {
	return map[string]any{
		"string": "text", "empty": "", "true": true, "false": false,
		"int": -1, "int8": int8(-8), "int16": int16(-16), "int32": int32(-32), "int64": int64(math.MinInt64),
		"uint8": uint8(8), "uint16": uint16(65535), "uint32": uint32(math.MaxUint32), "uint64": uint64(math.MaxUint64),
		"float32": float32(0.25), "float64": math.Pi, "whole": 3.0, "tiny": 5e-324, "huge": math.MaxFloat64,
		"bytes": []byte{0, 1, 255}, "nil": nil, "error value": errors.New("an error"), "stringer": stringer{},
		"slice": []string{"a", "b"}, "map": map[string]int{"a": 1}, "duration": 3 * time.Second,
		"binary text": "a\xffb", "otel.status_description": "why", "http.status_code": 200, "component": "test",
		"peer.service": "other", "span.kind2": "x", "service.name": "not the process",
	}
}

// checkWant checks what the others are compared with, so that a loss common to all four is not taken for equality.
func checkWant(t *testing.T, spans []jaeger.Span) {
	t.Helper()
	byName := map[string]jaeger.Span{}
	for _, s := range spans {
		byName[s.OperationName] = s
	}
	root := byName["GET /root"]
	if root.Parent() != "" || root.Duration != 1_500_000 || root.Tag("span.kind") != `"server"` || root.Process.ServiceName != "roads" {
		t.Errorf("root: %+v", root)
	}
	if s := byName["odd nanoseconds"]; s.Parent() != root.SpanID || s.Duration != 2345 || s.StartTime-root.StartTime < 1234 || s.StartTime-root.StartTime > 1235 {
		t.Errorf("starts %d µs after the root: %+v", s.StartTime-root.StartTime, s)
	}
	for key, text := range map[string]string{
		"string": `"text"`, "true": `true`, "int": `-1`, "uint16": `65535`, "int64": `"-9223372036854775808"`, "float32": `0.25`, "bytes": `"AAH/"`,
	} {
		if got := byName["tags"].Tag(key); got != text {
			t.Errorf("tag %s is %s, want %s", key, got, text)
		}
	}
	if s := byName["follows"]; len(s.References) != 2 || s.References[0].RefType != "FOLLOWS_FROM" {
		t.Errorf("references: %+v", s.References)
	}
	if s := byName["logs"]; len(s.Logs) != 4 { // one of the baggage
		t.Errorf("logs: %+v", s.Logs)
	}
}
