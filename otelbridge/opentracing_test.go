package otelbridge_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestOpenTracingCodeOnSpansOfOpenTelemetry has OpenTracing code that finds a span which OpenTelemetry code started.
func TestOpenTracingCodeOnSpansOfOpenTelemetry(t *testing.T) {
	for name, tt := range map[string]struct {
		do    func(s opentracing.Span)
		check func(j *jaeger.Span) error
	}{
		"tags": {func(s opentracing.Span) {
			ext.HTTPMethod.Set(s, "GET")
			s.SetTag("list", []int{1, 2}).SetTag("n", uint16(7))
		}, func(j *jaeger.Span) error {
			if tags := j.Tags(); tags["http.method"] != "GET" || tags["n"] != uint16(7) || fmt.Sprint(tags["list"]) != "[1 2]" {
				return fmt.Errorf("tags %v", tags)
			}
			return nil
		}},
		"name": {func(s opentracing.Span) { s.SetOperationName("renamed") }, func(j *jaeger.Span) error {
			if j.OperationName() != "renamed" {
				return errors.New(j.OperationName())
			}
			return nil
		}},
		"logs": {func(s opentracing.Span) {
			s.LogKV("event", "cache", "hit", true)
			s.LogFields(log.Event("miss"), log.Error(errors.New("boom")))
			//lint:ignore SA1019 it is deprecated, and called nonetheless
			s.LogEvent("old")
		}, func(j *jaeger.Span) error {
			if logs := j.Logs(); len(logs) != 3 || logs[0].Fields[1].Value() != true || logs[1].Fields[0].Value() != "miss" {
				return fmt.Errorf("logs %v", logs)
			}
			return nil
		}},
		"error": {func(s opentracing.Span) { ext.LogError(s, errors.New("boom")) }, func(j *jaeger.Span) error {
			if j.Tags()["error"] != true || len(j.Logs()) != 1 {
				return fmt.Errorf("%v %v", j.Tags(), j.Logs())
			}
			return nil
		}},
		"finish": {func(s opentracing.Span) { s.Finish(); s.SetTag("late", true); s.LogKV("late", true) }, func(j *jaeger.Span) error {
			if j.Tags()["late"] != nil || len(j.Logs()) != 0 {
				return fmt.Errorf("%v %v", j.Tags(), j.Logs())
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBridge(t)
			ctx, s := b.tracer().Start(t.Context(), "s")
			ot := opentracing.SpanFromContext(ctx)
			tt.do(ot)
			s.End()
			ot.SetTag("late", true).SetOperationName("late")
			ot.LogKV("late", true)
			ot.SetBaggageItem("late", "1")
			ot.Finish()
			spans := b.memory.GetSpans()
			if len(spans) != 1 {
				t.Fatalf("%d spans", len(spans))
			}
			j := spans[0].(*jaeger.Span)
			if err := tt.check(j); err != nil {
				t.Error(err)
			}
			if j.Tags()["late"] != nil || j.OperationName() == "late" || j.BaggageItem("late") != "" {
				t.Errorf("%v was touched after its end", j)
			}
		})
	}
}

// sampling.priority is obeyed where OpenTracing code sets it, whoever has started the span.
func TestSamplingPriorityIsObeyedOnEverySpan(t *testing.T) {
	for _, kind := range []string{"otel", "hooked"} {
		for _, sampled := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, sampled %t", kind, sampled), func(t *testing.T) {
				sampler := tracerinit.Never()
				if sampled {
					sampler = tracerinit.Always()
				}
				b := newBridgeOf(t, tracerinit.Config{Sampler: sampler})
				ctx, end := starters[kind](b, t.Context(), "s")
				ext.SamplingPriority.Set(opentracing.SpanFromContext(ctx), map[bool]uint16{true: 0, false: 1}[sampled])
				s := trace.SpanFromContext(ctx)
				if s.IsRecording() == sampled || s.SpanContext().IsSampled() == sampled {
					t.Errorf("records %t, context %v", s.IsRecording(), s.SpanContext())
				}
				s.SetAttributes(attribute.Int("n", 1))
				_, child := b.tracer().Start(ctx, "child")
				if child.IsRecording() == sampled {
					t.Errorf("the child records: %t", child.IsRecording())
				}
				child.End()
				end()
				if n := len(b.memory.GetSpans()); (n == 2) == sampled {
					t.Errorf("%d spans", n)
				}
			})
		}
	}
}

// TestReferencesToSpansOfOpenTelemetry starts spans of OpenTracing with references, in place of contexts.
func TestReferencesToSpansOfOpenTelemetry(t *testing.T) {
	b := newBridge(t)
	_, s := b.tracer().Start(t.Context(), "s")
	parent := s.(opentracing.Span).Context()
	b.OpenTracing().StartSpan("child", opentracing.ChildOf(parent)).Finish()
	b.OpenTracing().StartSpan("follower", opentracing.FollowsFrom(parent)).Finish()
	ctx := opentracing.ContextWithSpan(context.Background(), s.(opentracing.Span))
	_, c := b.tracer().Start(ctx, "otel child")
	c.End()
	s.End()
	for _, name := range []string{"child", "follower", "otel child"} {
		b.wantChild(t, name, "s")
	}
}

// TestStatusAndErrorTag has both of one span: the error tag of OpenTracing code is a failure, and is there once.
func TestStatusAndErrorTag(t *testing.T) {
	for name, do := range map[string]func(s opentracing.Span, o trace.Span){
		"tag, then status": func(s opentracing.Span, o trace.Span) { ext.Error.Set(s, true); o.SetStatus(codes.Error, "d") },
		"status, then tag": func(s opentracing.Span, o trace.Span) { o.SetStatus(codes.Error, "d"); ext.Error.Set(s, true) },
	} {
		for _, kind := range []string{"otel", "hooked"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				b := newBridge(t)
				ctx, end := starters[kind](b, t.Context(), "s")
				do(opentracing.SpanFromContext(ctx), trace.SpanFromContext(ctx))
				end()
				if tags := b.spans(t)["s"].Tags(); tags["error"] != true || tags["otel.status_description"] != "d" {
					t.Errorf("tags %v", tags)
				}
			})
		}
	}
}

// TestBaggageThatOpenTracingCodeSetsLater is seen by OpenTelemetry, even where its own baggage is in the context.
func TestBaggageThatOpenTracingCodeSetsLater(t *testing.T) {
	b := newBridge(t)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	defer ot.Finish()
	member, err := baggage.NewMemberRaw("own", "1")
	if err != nil {
		t.Fatal(err)
	}
	bag, _ := baggage.FromContext(ctx).SetMember(member)
	ctx = baggage.ContextWithBaggage(ctx, bag)
	ot.SetBaggageItem("later", "2")
	ctx, s := b.tracer().Start(ctx, "s")
	defer s.End()
	out := propagation.MapCarrier{}
	b.Propagator().Inject(ctx, out)
	got := baggage.FromContext(ctx)
	if got.Member("own").Value() != "1" || got.Member("later").Value() != "2" || got.Len() != 2 {
		t.Errorf("OpenTelemetry sees %v, and sends %q", got, out["baggage"])
	}
	ot.SetBaggageItem("own", "3") // of the parent alone
	if got := baggage.FromContext(ctx).Member("own").Value(); got != "1" {
		t.Errorf("the child has %q", got)
	}
}

// TestBothAPIsAtOnce uses one span by both from several goroutines.
func TestBothAPIsAtOnce(t *testing.T) {
	for _, kind := range []string{"otel", "hooked"} {
		t.Run(kind, func(t *testing.T) {
			b := newBridge(t)
			ctx, end := starters[kind](b, t.Context(), "s")
			ot, s := opentracing.SpanFromContext(ctx), trace.SpanFromContext(ctx)
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					for n := range 20 {
						ot.SetTag("t", n).SetBaggageItem(fmt.Sprint("b", i), fmt.Sprint(n))
						ot.LogKV("n", n)
						ot.SetOperationName("t")
						_ = ot.Context()
						opentracing.ContextWithSpan(ctx, ot)
						_ = otelbridge.Unwrap(ot)
					}
				})
				wg.Go(func() {
					for n := range 20 {
						s.SetAttributes(attribute.Int("a", n), attribute.StringSlice("l", []string{"x"}))
						s.AddEvent("e")
						s.AddLink(trace.Link{SpanContext: s.SpanContext()})
						s.SetStatus(codes.Error, "d")
						s.RecordError(errors.New("boom"))
						baggage.FromContext(ctx)
						b.Propagator().Inject(ctx, propagation.MapCarrier{})
						_, child := b.tracer().Start(ctx, fmt.Sprint(i, n))
						child.End()
					}
				})
			}
			wg.Go(end)
			wg.Wait()
			if got := b.below.Stats(); got.Open != 0 || got.Started != got.Reported {
				t.Errorf("stats %+v", got)
			}
		})
	}
}
