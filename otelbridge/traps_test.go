package otelbridge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/harness"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

const callerHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// serve runs handler behind the middleware for a request of that caller.
func (b *bridged) serve(handler http.HandlerFunc, opts ...httpmw.ServerOption) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("traceparent", callerHeader)
	r.Header.Set("tracestate", "v=1")
	r.Header.Set("baggage", "user=7")
	httpmw.Middleware(b.OpenTracing(), opts...)(handler).ServeHTTP(httptest.NewRecorder(), r)
}

// inner does what otelhttp does inside a handler.
func (b *bridged) inner(r *http.Request, name string) {
	ctx := b.Propagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	_, s := b.tracer().Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	s.End()
}

func TestInnerExtractDoesNotLeaveTheRequest(t *testing.T) {
	b := newBridge(t)
	b.serve(func(_ http.ResponseWriter, r *http.Request) {
		if got := baggage.FromContext(r.Context()).Member("user").Value(); got != "7" {
			t.Errorf("baggage item user is %q", got)
		}
		if got := trace.SpanContextFromContext(r.Context()).TraceState().String(); got != "v=1" {
			t.Errorf("tracestate %q", got)
		}
		b.inner(r, "inner")
	})
	b.wantChild(t, "inner", "GET")
}

func TestStrangersAreNotJoined(t *testing.T) {
	for name, sampler := range map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()} {
		t.Run(name, func(t *testing.T) {
			b := newBridgeOf(t, tracerinit.Config{Sampler: sampler})
			b.serve(func(_ http.ResponseWriter, r *http.Request) {
				b.inner(r, "inner")
				ctx, s := b.tracer().Start(r.Context(), "between")
				b.inner(r.WithContext(ctx), "deeper")
				s.End()
			}, httpmw.WithPublicEndpoint(func(*http.Request) bool { return true }))
			if name == "unsampled" {
				if n := len(b.memory.GetSpans()); n != 0 {
					t.Errorf("%d spans were reported: the stranger has decided", n)
				}
				return
			}
			b.wantRoot(t, "GET")
			b.wantChild(t, "inner", "GET")
			b.wantChild(t, "deeper", "between")
		})
	}
}

// A request at a public endpoint that a filter leaves out has no span, and its caller is still a stranger.
func TestStrangersOfFilteredRequestsAreNotJoined(t *testing.T) {
	for _, public := range []bool{true, false} {
		t.Run(fmt.Sprintf("public=%t", public), func(t *testing.T) {
			b := newBridge(t)
			b.serve(func(_ http.ResponseWriter, r *http.Request) { b.inner(r, "inner") },
				httpmw.WithPublicEndpoint(func(*http.Request) bool { return public }),
				httpmw.WithFilter(func(*http.Request) bool { return false }))
			if public {
				b.wantRoot(t, "inner")
			} else if sc := b.spans(t)["inner"].SpanContext(); sc.ParentID() == 0 {
				t.Error("a trusted caller is not the parent")
			}
		})
	}
}

// TestBaggageOfFilteredStrangersIsNotRead has a caller that sends baggage without ids.
func TestBaggageOfFilteredStrangersIsNotRead(t *testing.T) {
	for _, public := range []bool{true, false} {
		t.Run(fmt.Sprintf("public=%t", public), func(t *testing.T) {
			b := newBridge(t)
			read := ""
			b.serve(func(_ http.ResponseWriter, r *http.Request) {
				ctx := b.Propagator().Extract(r.Context(), propagation.HeaderCarrier{"Baggage": r.Header["Baggage"]})
				read = baggage.FromContext(ctx).Member("user").Value()
			}, httpmw.WithPublicEndpoint(func(r *http.Request) bool { r.Header.Del("traceparent"); return public }),
				httpmw.WithFilter(func(*http.Request) bool { return false }))
			if (read == "") != public {
				t.Errorf("the item user is %q", read)
			}
		})
	}
}

func TestSpansAreNotTouchedAfterTheirEnd(t *testing.T) {
	b := newBridge(t)
	touch := func(s trace.Span) {
		s.SetAttributes(attribute.Bool("late", true))
		s.AddEvent("late")
		s.SetStatus(codes.Error, "late")
		s.SetName("late")
		s.RecordError(errors.New("late"))
		s.AddLink(trace.Link{SpanContext: s.SpanContext()})
		s.End()
	}
	var kept trace.Span
	b.serve(func(_ http.ResponseWriter, r *http.Request) { kept = trace.SpanFromContext(r.Context()) })
	touch(kept)
	_, own := b.tracer().Start(t.Context(), "own")
	own.End()
	touch(own)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	ot.Finish()
	touch(trace.SpanFromContext(ctx))
	ot.SetTag("late", true)
	for name, s := range b.spans(t) {
		if s.Tags()["late"] != nil || s.Tags()["error"] != nil || len(s.Logs()) != 0 || kept.IsRecording() {
			t.Errorf("%s was touched: %v %v", name, s.Tags(), s.Logs())
		}
	}
	if n := len(b.memory.GetSpans()); n != 3 {
		t.Errorf("%d spans, want 3", n)
	}
}

func TestOwnersEndTheirSpans(t *testing.T) {
	b := newBridge(t)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	trace.SpanFromContext(ctx).End()
	if len(b.memory.GetSpans()) != 0 || !trace.SpanFromContext(ctx).IsRecording() {
		t.Error("End of a view has finished the span")
	}
	trace.SpanFromContext(ctx).AddEvent("kept")
	ot.Finish()
	ot.Finish()
	if s := b.spans(t)["ot"]; s == nil || len(s.Logs()) != 1 {
		t.Errorf("want one span with the event: %v", s)
	}
}

func TestSeveralGoroutinesRecord(t *testing.T) {
	b := newBridge(t)
	_, s := b.tracer().Start(t.Context(), "s")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s.SetAttributes(attribute.Int("n", 1))
				s.AddEvent("e")
				s.SpanContext()
				s.End()
			}
		})
	}
	wg.Wait()
	if n := len(b.memory.GetSpans()); n != 1 {
		t.Errorf("%d spans", n)
	}
}

func TestDetachedSpansAreRootsWithALink(t *testing.T) {
	b := newBridge(t)
	ctx, a := b.tracer().Start(t.Context(), "a")
	link := trace.LinkFromContext(ctx)
	_, root := b.tracer().Start(ctx, "root", trace.WithNewRoot(), trace.WithLinks(link))
	_, none := b.tracer().Start(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), "none")
	_, lone := b.tracer().Start(t.Context(), "lone", trace.WithLinks(link))
	_, other := b.tracer().Start(trace.ContextWithSpan(context.Background(), a), "other")
	for _, s := range []trace.Span{other, lone, none, root, a} {
		s.End()
	}
	for _, name := range []string{"root", "none", "lone"} {
		b.wantRoot(t, name)
	}
	b.wantChild(t, "other", "a")
	if refs := b.spans(t)["lone"].References(); len(refs) != 1 || refs[0].Type != opentracing.FollowsFromRef {
		t.Errorf("references %v, want the link", refs)
	}
}

func TestAttributesDoNotSample(t *testing.T) {
	for name, sampler := range map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()} {
		t.Run(name, func(t *testing.T) {
			b := newBridgeOf(t, tracerinit.Config{Sampler: sampler})
			_, s := b.tracer().Start(t.Context(), "s")
			defer s.End()
			before := s.SpanContext().IsSampled()
			s.SetAttributes(attribute.Int("sampling.priority", map[bool]int{true: 0, false: 1}[before]))
			if s.SpanContext().IsSampled() != before || s.IsRecording() != before {
				t.Errorf("sampled %v before, %v after", before, !before)
			}
		})
	}
}

func TestBaggageGoesBothWays(t *testing.T) {
	b := newBridge(t)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	ot.SetBaggageItem("a", "1")
	bag := baggage.FromContext(ctx)
	if bag.Member("a").Value() != "1" {
		t.Errorf("OpenTelemetry sees %q", bag)
	}
	m, err := baggage.NewMemberRaw("b", "2")
	if err != nil {
		t.Fatal(err)
	}
	bag, _ = bag.SetMember(m)
	ctx = baggage.ContextWithBaggage(ctx, bag.DeleteMember("a"))
	ctx, s := b.tracer().Start(ctx, "s")
	in := opentracing.SpanFromContext(ctx)
	if in.BaggageItem("a") != "" || in.BaggageItem("b") != "2" {
		t.Errorf("OpenTracing sees a=%q b=%q", in.BaggageItem("a"), in.BaggageItem("b"))
	}
	out := propagation.MapCarrier{}
	b.Propagator().Inject(ctx, out)
	if out["baggage"] != "b=2" || out["traceparent"] == "" {
		t.Errorf("injected %v", out)
	}
	s.End()
	ot.Finish()
	if logs := b.spans(t)["s"].Logs(); len(logs) != 0 {
		t.Errorf("baggage was logged: %v", logs)
	}
}

// TestBaggageIsChangedByBothAPIs: the last of the two that sets an item wins.
func TestBaggageIsChangedByBothAPIs(t *testing.T) {
	b := newBridge(t)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	defer ot.Finish()
	for _, key := range []string{"a", "kept", "late"} {
		ot.SetBaggageItem(key, "1")
	}
	m, err := baggage.NewMemberRaw("a", "2")
	if err != nil {
		t.Fatal(err)
	}
	bag, _ := baggage.FromContext(ctx).SetMember(m)
	ctx = baggage.ContextWithBaggage(ctx, bag)
	ot.SetBaggageItem("late", "2")
	ctx, s := b.tracer().Start(ctx, "s")
	defer s.End()
	in := opentracing.SpanFromContext(ctx)
	if got := in.BaggageItem("a") + in.BaggageItem("kept") + in.BaggageItem("late"); got != "212" {
		t.Errorf("OpenTracing sees %q for a, kept and late, want 2, 1 and 2", got)
	}
	in.SetBaggageItem("a", "3")
	if got := baggage.FromContext(ctx).Member("a").Value(); got != "3" {
		t.Errorf("OpenTelemetry sees a=%q", got)
	}
}

// TestOpenTracingCodeJoinsExtractedCallers has OpenTracing code below a context that OpenTelemetry code has extracted.
func TestOpenTracingCodeJoinsExtractedCallers(t *testing.T) {
	b := newBridge(t)
	for name, p := range map[string]propagation.TextMapPropagator{
		"by the bridge":          b.Propagator(),
		"by others after it":     propagation.NewCompositeTextMapPropagator(b.Propagator(), propagation.Baggage{}, propagation.TraceContext{}),
		"by others in front":     propagation.NewCompositeTextMapPropagator(propagation.Baggage{}, propagation.TraceContext{}, b.Propagator()),
		"by two of the bridge's": propagation.NewCompositeTextMapPropagator(b.Propagator(), b.Propagator()),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := p.Extract(t.Context(), propagation.MapCarrier{"traceparent": callerHeader, "tracestate": "v=1", "baggage": "k=v"})
			sc := trace.SpanContextFromContext(ctx)
			if !sc.IsRemote() || sc.SpanID().String() != "b7ad6b7169203331" || sc.TraceState().String() != "v=1" {
				t.Errorf("extracted %v", sc)
			}
			ot, _ := opentracing.StartSpanFromContextWithTracer(ctx, b.OpenTracing(), "ot")
			defer ot.Finish()
			if got := ot.Context().(jaeger.SpanContext); got.TraceID().String() != sc.TraceID().String() || got.ParentID() == 0 {
				t.Errorf("OpenTracing code does not join %v: %v", sc, got)
			}
			if ot.BaggageItem("k") != "v" || baggage.FromContext(ctx).Member("k").Value() != "v" {
				t.Errorf("baggage is %q and %v", ot.BaggageItem("k"), baggage.FromContext(ctx))
			}
		})
	}
}

func TestDisabledAndShutDownTracers(t *testing.T) {
	for name, cfg := range map[string]tracerinit.Config{"disabled": {Disabled: true}, "shut down": {}} {
		t.Run(name, func(t *testing.T) {
			b := newBridgeOf(t, cfg)
			if name == "shut down" {
				b.below.Close()
			}
			ctx := b.Propagator().Extract(t.Context(), propagation.MapCarrier{"traceparent": callerHeader})
			ctx, s := b.tracer().Start(ctx, "s")
			out := propagation.MapCarrier{}
			b.Propagator().Inject(ctx, out)
			if s.IsRecording() || out["traceparent"] != callerHeader {
				t.Errorf("records %v, sends %v", s.IsRecording(), out)
			}
			s.End()
		})
	}
}

func TestABridgeOfSpantestsTracerRecordsSpans(t *testing.T) {
	tracer := spantest.New(t)
	b := otelbridge.New(tracer)
	ot, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "ot")
	ctx, s := b.TracerProvider().Tracer("lib").Start(ctx, "otel")
	if !s.SpanContext().IsValid() || s.SpanContext().TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
		t.Error("no ids")
	}
	s.SetAttributes(attribute.Int("n", 1))
	s.End()
	s.End()
	s.SetAttributes(attribute.Int("late", 1))
	ot.Finish()
	spans := tracer.Finished()
	if len(spans) != 2 || spans[0].ParentID != spans[1].SpanContext.SpanID || spans[0].Tag("n") != int64(1) {
		t.Errorf("spans %v", spans)
	}
}

func TestPanicsAreRecordedAndGoOn(t *testing.T) {
	b := newBridge(t)
	value := any("boom")
	func() {
		defer func() {
			if got := recover(); got != value {
				t.Errorf("recovered %v", got)
			}
		}()
		_, s := b.tracer().Start(t.Context(), "s")
		defer s.End()
		panic(value)
	}()
	if logs := b.spans(t)["s"].Logs(); len(logs) != 1 {
		t.Errorf("logs %v", logs)
	}
}

func TestTheBridgePassesTheChecksOfOpenTracing(t *testing.T) {
	harness.RunAPIChecks(t, func() (opentracing.Tracer, func()) {
		// Checks of the harness leave spans open.
		tracer := newTracerThatSpansOutlive(t, tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
		return otelbridge.New(tracer).OpenTracing(), func() {}
	}, harness.CheckBaggageValues(true), harness.CheckInject(true), harness.CheckExtract(true))
}

func ExampleNew() {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}, LookupEnv: noEnv,
	})
	if err != nil {
		panic(err)
	}
	defer tracer.Close()
	b := otelbridge.New(tracer) // Install also sets the globals of both APIs

	parent, ctx := opentracing.StartSpanFromContextWithTracer(context.Background(), b.OpenTracing(), "checkout")
	defer parent.Finish()
	_, child := b.TracerProvider().Tracer("some library").Start(ctx, "SELECT")
	defer child.End()
	fmt.Println(child.SpanContext().TraceID() == trace.SpanContextFromContext(ctx).TraceID())
	// Output: true
}
