package engine

import (
	"reflect"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

func TestLayoutIsKnown(t *testing.T) {
	if !known() {
		t.Fatal("all goes the slow way")
	}
	s := start(t, jaeger.NewConstSampler(true))
	s.SetTag("a", 1)
	s.SetBaggageItem("k", "v")
	ReadTags(s, func(got []opentracing.Tag) {
		if last := got[len(got)-1]; last != tags[0] {
			t.Errorf("the last tag reads %v", last)
		}
	})
	f, sc := fieldsOf(s), s.SpanContext()
	c := f.context
	if c.traceID != sc.TraceID() || c.spanID != sc.SpanID() || c.parentID != sc.ParentID() || c.baggage["k"] != "v" || c.remote {
		t.Errorf("context reads %+v, want %v", &c, sc)
	}
	if !c.samplingState.sampled() || !c.samplingState.finalized() || c.samplingState.localRootSpan != sc.SpanID() {
		t.Error("the sampling state reads otherwise than it is")
	}
	if f.operationName != "x" || !f.firstInProcess || f.tracer != s.Tracer() || !f.startTime.Equal(s.StartTime()) || f.observer != deaf() {
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
		if alike(other, tag) || alike(reflect.SliceOf(other), reflect.SliceOf(tag)) || alike(reflect.PointerTo(other), reflect.PointerTo(tag)) {
			t.Errorf("%v was taken for a tag", other)
		}
	}
	if !alike(reflect.TypeFor[[]jaeger.Tag](), reflect.SliceOf(tag)) {
		t.Error("tags were not recognised")
	}
}
