package tracerinit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// However a span starts, it is as jaeger-client-go would have started it.
func TestSpansStartAsThoseOfTheEngine(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	caller := incoming(t, tracer, "traceparent", traceparent, "baggage", "user=alice")
	giveUp := opentracing.Tag{Key: "sampling.priority", Value: uint16(0)}
	other := incoming(t, tracer, "uber-trace-id", "7:8:0:0")
	tag := func(k string, v any) opentracing.Tag { return opentracing.Tag{Key: k, Value: v} }
	at := opentracing.StartTime(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	for name, options := range map[string][]opentracing.StartSpanOption{
		"root":                {at},
		"child":               {at, opentracing.ChildOf(caller)},
		"child of a span":     {at, opentracing.ChildOf(testspans.Start(t, tracer, "p").SetBaggageItem("k", "v").Context())},
		"unsampled child":     {at, opentracing.ChildOf(other)},
		"child of nothing":    {at, opentracing.ChildOf(nil)},
		"child of no context": {at, opentracing.ChildOf(jaeger.SpanContext{})},
		"child of baggage":    {at, opentracing.ChildOf(incoming(t, tracer, "baggage", "user=alice"))},
		"follows":             {at, opentracing.FollowsFrom(caller)},
		"follows, child":      {at, opentracing.FollowsFrom(other), opentracing.ChildOf(caller)},
		"child, follows":      {at, opentracing.ChildOf(caller), opentracing.FollowsFrom(other)},
		"child of two":        {at, opentracing.ChildOf(caller), opentracing.ChildOf(other)},
		"tags":                {at, tag("a", 1), tag("b", "two")},
		"a tag twice":         {at, tag("a", 1), tag("a", 2)},
		"many tags": {
			at, opentracing.ChildOf(caller), tag("a", 1), tag("b", 1), tag("c", 1), tag("d", 1), tag("e", 1),
		},
		"tags of both kinds":      {at, opentracing.ChildOf(caller), tag("a", 1), opentracing.Tags{"b": 2}},
		"server":                  {at, ext.SpanKindRPCServer, opentracing.ChildOf(caller)},
		"server by RPCServer":     {at, ext.RPCServerOption(caller)},
		"given up":                {at, giveUp},
		"time is the last option": {opentracing.ChildOf(caller), opentracing.StartTime(time.Time{}), at},
	} {
		t.Run(name, func(t *testing.T) {
			describe := func(tr opentracing.Tracer) map[string]any {
				s := testspans.Start(t, tr, "x", options...).(*jaeger.Span)
				sc := s.SpanContext()
				m := map[string]any{
					"tags": s.Tags(), "start": s.StartTime(), "parent": sc.ParentID(), "flags": sc.Flags(),
					"user": s.BaggageItem("user") + s.BaggageItem("k"),
					"wide": sc.TraceID().High != 0, "own trace": uint64(sc.SpanID()) == sc.TraceID().Low,
				}
				engine.ReadTags(s, func(list []opentracing.Tag) { m["number of tags"] = len(list) })
				if sc.IsSampled() {
					m["references"] = fmt.Sprint(s.References())
				}
				return m
			}
			if diff := cmp.Diff(describe(tracerinit.EngineOf(tracer)), describe(tracer)); diff != "" {
				t.Errorf("-engine +ours\n%s", diff)
			}
		})
	}
	if started := time.Since(testspans.Start(t, tracer, "x").(*jaeger.Span).StartTime()); started < 0 || started > time.Minute {
		t.Errorf("a span without a time started %v ago", started)
	}
}
