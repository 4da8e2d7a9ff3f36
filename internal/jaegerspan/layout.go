package jaegerspan

import (
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Span is the layout of a [jaeger.Span]. The embedded lock guards its fields once other code can reach the span.
type Span struct {
	ReferenceCounter int32
	sync.RWMutex
	Tracer         *jaeger.Tracer
	Context        Context
	OperationName  string
	FirstInProcess bool
	StartTime      time.Time
	Duration       time.Duration
	Tags           []opentracing.Tag
	Logs           []opentracing.LogRecord
	NumDroppedLogs int
	References     []jaeger.Reference
	Observer       jaeger.ContribSpanObserver
}

// Context is the layout of a [jaeger.SpanContext].
type Context struct {
	TraceID          jaeger.TraceID
	SpanID, ParentID jaeger.SpanID
	Baggage          map[string]string // never written to: a span that gets an item gets a new map
	DebugID          string
	SamplingState    *SamplingState
	Remote           bool
}

// SamplingState is what all spans of a trace share within one process.
type SamplingState struct {
	StateFlags    atomicValue[int32]
	Final         atomicValue[atomicValue[uint32]]
	LocalRootSpan jaeger.SpanID
	ExtendedState sync.Map
}

// atomicValue is the layout of the numbers and booleans of go.uber.org/atomic.
type atomicValue[T any] struct {
	_ [0]func()
	v T
}

// flagSampled is the bit of StateFlags that jaeger-client-go sets on sampled traces.
const flagSampled = 1

// NewSamplingState returns the state of a trace whose sampling is decided.
func NewSamplingState(sampled bool) *SamplingState {
	s := &SamplingState{}
	if sampled {
		s.StateFlags.v = flagSampled
	}
	s.Final.v.v = 1
	return s
}

// Sampled reports whether the spans of the trace are reported.
func (s *SamplingState) Sampled() bool { return atomic.LoadInt32(&s.StateFlags.v)&flagSampled != 0 }

// IsFinal reports whether the decision about the trace can no longer change by itself.
func (s *SamplingState) IsFinal() bool { return atomic.LoadUint32(&s.Final.v.v) != 0 }

// Finalize makes the decision final.
func (s *SamplingState) Finalize() { atomic.StoreUint32(&s.Final.v.v, 1) }

// LayoutMatches reports whether [jaeger.Span] is laid out as [Span] is. While it is false, no function of this package
// may be called but this one, and callers use the methods of jaeger-client-go. That costs speed, the order of tags, and
// the guarantee that a tag whose methods hang delays no other span. Tests replace it to run without the fast path, and
// whole packages do with the build tag otherlayout.
var LayoutMatches = sync.OnceValue(func() bool {
	return sameLayout(reflect.TypeFor[jaeger.Span](), reflect.TypeFor[Span]()) &&
		sameLayout(reflect.TypeFor[jaeger.Tag](), reflect.TypeFor[opentracing.Tag]())
})

// sameLayout reports whether values of two types are laid out identically, in fields of the same names.
func sameLayout(a, b reflect.Type) bool {
	if a == b {
		return true
	}
	if a.Kind() != b.Kind() || a.Size() != b.Size() {
		return false
	}
	switch a.Kind() {
	case reflect.Struct:
		return sameFields(a, b)
	case reflect.Slice, reflect.Pointer:
		return sameLayout(a.Elem(), b.Elem())
	case reflect.Array:
		return a.Len() == b.Len() && sameLayout(a.Elem(), b.Elem())
	case reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64, reflect.String:
		return true
	}
	return false
}

func sameFields(a, b reflect.Type) bool {
	if a.NumField() != b.NumField() {
		return false
	}
	for i := range a.NumField() {
		f, g := a.Field(i), b.Field(i)
		if !strings.EqualFold(f.Name, g.Name) || f.Offset != g.Offset || !sameLayout(f.Type, g.Type) {
			return false
		}
	}
	return true
}

// Fields returns a view of the fields of s.
func Fields(s *jaeger.Span) *Span { return (*Span)(unsafe.Pointer(s)) }

// Jaeger returns the span whose fields s is a view of.
func (s *Span) Jaeger() *jaeger.Span { return (*jaeger.Span)(unsafe.Pointer(s)) }

// ContextFields returns a view of the fields of c.
func ContextFields(c *jaeger.SpanContext) *Context { return (*Context)(unsafe.Pointer(c)) }

// Jaeger returns the context whose fields c is a view of.
func (c *Context) Jaeger() *jaeger.SpanContext { return (*jaeger.SpanContext)(unsafe.Pointer(c)) }

// OpenTracingTags returns the same tags as values of the other type, which has the same fields. It copies nothing.
func OpenTracingTags(tags []jaeger.Tag) []opentracing.Tag {
	return unsafe.Slice((*opentracing.Tag)(unsafe.Pointer(unsafe.SliceData(tags))), len(tags))
}

// NoopObserver returns the observer that jaeger-client-go gives to spans of a tracer without observers.
var NoopObserver = sync.OnceValue(func() jaeger.ContribSpanObserver {
	tracer, closer := jaeger.NewTracer("", jaeger.NewConstSampler(false), jaeger.NewNullReporter())
	defer closer.Close()
	return Fields(tracer.StartSpan("").(*jaeger.Span)).Observer
})
