package jaegerspan

import (
	"reflect"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
)

func TestTheLayoutOfSpansIsTheOneKnown(t *testing.T) {
	if !LayoutMatches() {
		t.Fatal("no span takes the fast path")
	}
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	s := tracer.StartSpan("x", ext.SpanKindRPCServer).(*jaeger.Span)
	defer s.Finish()
	s.SetTag("a", 1)
	s.SetBaggageItem("k", "v")
	f, sc := Fields(s), s.SpanContext()
	if last := f.Tags[len(f.Tags)-1]; last != (opentracing.Tag{Key: "a", Value: 1}) {
		t.Errorf("the last tag reads %v", last)
	}
	c := ContextFields(&sc)
	if c.TraceID != sc.TraceID() || c.SpanID != sc.SpanID() || c.ParentID != sc.ParentID() || c.Baggage["k"] != "v" || c.Remote {
		t.Errorf("context reads %+v, want %v", c, sc)
	}
	if !c.SamplingState.Sampled() || !c.SamplingState.IsFinal() || c.SamplingState.LocalRootSpan != sc.SpanID() {
		t.Error("the sampling state reads otherwise than it is")
	}
	if f.OperationName != "x" || !f.FirstInProcess || f.Tracer != s.Tracer() || !f.StartTime.Equal(s.StartTime()) ||
		f.Observer != NoopObserver() || f.Jaeger() != s || c.Jaeger() != &sc {
		t.Error("the span reads otherwise than it is")
	}
}

func TestOtherLayoutsAreRefused(t *testing.T) {
	type swapped struct {
		Value any
		Key   string
	}
	type longer struct {
		Key   string
		Value any
		More  int
	}
	type renamed struct {
		Name  string
		Value any
	}
	type retyped struct {
		Key   []byte
		Value any
	}
	tag := reflect.TypeFor[opentracing.Tag]()
	for _, other := range []reflect.Type{
		reflect.TypeFor[swapped](), reflect.TypeFor[longer](), reflect.TypeFor[renamed](), reflect.TypeFor[retyped](), reflect.TypeFor[string](),
	} {
		t.Run(other.String(), func(t *testing.T) {
			if sameLayout(other, tag) || sameLayout(reflect.SliceOf(other), reflect.SliceOf(tag)) || sameLayout(reflect.PointerTo(other), reflect.PointerTo(tag)) {
				t.Errorf("%v was taken for a tag", other)
			}
		})
	}
	if !sameLayout(reflect.TypeFor[[]jaeger.Tag](), reflect.SliceOf(tag)) {
		t.Error("tags were not recognised")
	}
}
