package engine

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
)

// typicalTags is how many tags a span of this kit gets after its start.
const typicalTags = 11

// layout is where the fields of jaeger.Span are.
type layout struct {
	context, name, tags, observer uintptr
	deaf                          jaeger.ContribSpanObserver // the observer of spans that nobody observes
}

// spans is the layout of jaeger.Span, nil if its fields are not what they were. A jaeger.Tag, whose fields are
// private, must be laid out like an opentracing.Tag.
var spans = sync.OnceValue(func() *layout {
	l := &layout{
		context:  offset(reflect.TypeFor[jaeger.SpanContext](), "context"),
		name:     offset(reflect.TypeFor[string](), "operationName"),
		tags:     offset(reflect.TypeFor[[]jaeger.Tag](), "tags"),
		observer: offset(reflect.TypeFor[jaeger.ContribSpanObserver](), "observer"),
	}
	if l.context == 0 || l.name == 0 || l.tags == 0 || l.observer == 0 || !alike(reflect.TypeFor[jaeger.Tag](), reflect.TypeFor[opentracing.Tag]()) {
		return nil
	}
	tracer, closer := jaeger.NewTracer("", jaeger.NewConstSampler(false), jaeger.NewNullReporter())
	defer closer.Close()
	l.deaf = *l.observerOf(tracer.StartSpan("").(*jaeger.Span))
	return l
})

// offset returns where in a jaeger.Span a field of this type is, 0 if it has none.
func offset(typ reflect.Type, name string) uintptr {
	f, ok := reflect.TypeFor[jaeger.Span]().FieldByName(name)
	if !ok || f.Type != typ || len(f.Index) != 1 {
		return 0
	}
	return f.Offset
}

// alike reports whether two structs have fields of the same types in the same places.
func alike(a, b reflect.Type) bool {
	if a.NumField() != b.NumField() || a.Size() != b.Size() {
		return false
	}
	for i := range a.NumField() {
		if f, g := a.Field(i), b.Field(i); f.Type != g.Type || f.Offset != g.Offset {
			return false
		}
	}
	return true
}

// contextOf must be used under the span's lock.
func (l *layout) contextOf(s *jaeger.Span) *jaeger.SpanContext {
	return (*jaeger.SpanContext)(unsafe.Add(unsafe.Pointer(s), l.context))
}

// tagsOf must be used under the span's lock.
func (l *layout) tagsOf(s *jaeger.Span) *[]opentracing.Tag {
	return (*[]opentracing.Tag)(unsafe.Add(unsafe.Pointer(s), l.tags))
}

func (l *layout) observerOf(s *jaeger.Span) *jaeger.ContribSpanObserver {
	return (*jaeger.ContribSpanObserver)(unsafe.Add(unsafe.Pointer(s), l.observer))
}

// Recording reports whether tags can still matter: false once the span is known not to be sampled.
func Recording(s *jaeger.Span) bool {
	l := spans()
	if l == nil {
		sc := s.SpanContext()
		return sc.IsSampled() || !sc.IsSamplingFinalized()
	}
	s.RLock()
	defer s.RUnlock()
	sc := l.contextOf(s)
	return sc.IsSampled() || !sc.IsSamplingFinalized()
}

// New tells the trace and the name of a span that is still the caller's alone, as in jaeger.SamplerV2.OnCreateSpan.
func New(s *jaeger.Span) (id jaeger.TraceID, name string) {
	if l := spans(); l != nil {
		return l.contextOf(s).TraceID(), *(*string)(unsafe.Add(unsafe.Pointer(s), l.name))
	}
	return s.SpanContext().TraceID(), s.OperationName()
}

// Reserve gives such a span room for the tags of its sampler, of its start, and the usual number of others.
func Reserve(s *jaeger.Span) {
	if l := spans(); l != nil {
		if list := l.tagsOf(s); *list == nil {
			*list = make([]opentracing.Tag, 0, 2+1+typicalTags)
		}
	}
}

// SetTags does what s.SetTag does with each of the tags, and reports what Recording does.
func SetTags(s *jaeger.Span, tags ...opentracing.Tag) (recording bool) {
	if l := spans(); l != nil && *l.observerOf(s) == l.deaf && !slices.ContainsFunc(tags, setsPriority) {
		if recording, ok := l.append(s, tags); ok {
			return recording
		}
	}
	for _, tag := range tags {
		s.SetTag(tag.Key, tag.Value)
	}
	return Recording(s)
}

func setsPriority(tag opentracing.Tag) bool { return tag.Key == string(ext.SamplingPriority) }

// append adds tags if the span is sampled. It is not ok if its sampler has yet to be asked.
func (l *layout) append(s *jaeger.Span, tags []opentracing.Tag) (sampled, ok bool) {
	s.Lock()
	defer s.Unlock()
	sc := l.contextOf(s)
	if !sc.IsSamplingFinalized() {
		return false, false
	}
	if sampled = sc.IsSampled(); sampled {
		list := l.tagsOf(s)
		if cap(*list)-len(*list) < len(tags) {
			*list = append(make([]opentracing.Tag, 0, len(*list)+max(len(tags), len(*list), typicalTags)), *list...)
		}
		*list = append(*list, tags...)
	}
	return sampled, true
}

// ReadTags calls read with the span's tags in the order in which they were set, of which later ones with the same key
// count, under the span's lock, and reports whether it could. Read must not keep the list nor change it.
func ReadTags(s *jaeger.Span, read func(tags []opentracing.Tag)) bool {
	l := spans()
	if l == nil {
		return false
	}
	s.RLock()
	defer s.RUnlock()
	read(*l.tagsOf(s))
	return true
}
