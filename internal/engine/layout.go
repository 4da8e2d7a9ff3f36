package engine

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

// span is a jaeger.Span with its fields in reach. Once others know of it, they must be used under its lock.
type span struct {
	referenceCounter int32
	sync.RWMutex
	tracer         *jaeger.Tracer
	context        spanContext
	operationName  string
	firstInProcess bool
	startTime      time.Time
	duration       time.Duration
	tags           []opentracing.Tag
	logs           []opentracing.LogRecord
	numDroppedLogs int
	references     []jaeger.Reference
	observer       jaeger.ContribSpanObserver
}

// spanContext is a jaeger.SpanContext.
type spanContext struct {
	traceID          jaeger.TraceID
	spanID, parentID jaeger.SpanID
	baggage          map[string]string // never written to: spans that get an item get another map
	debugID          string
	samplingState    *samplingState
	remote           bool
}

// samplingState is what all spans of a trace in this process share.
type samplingState struct {
	stateFlags    word[int32]
	final         word[word[uint32]]
	localRootSpan jaeger.SpanID
	extendedState sync.Map //lint:ignore U1000 is part of the layout
}

// word is a value of go.uber.org/atomic.
type word[T any] struct {
	_ [0]func()
	v T
}

func (s *samplingState) sampled() bool   { return atomic.LoadInt32(&s.stateFlags.v)&1 != 0 }
func (s *samplingState) finalized() bool { return atomic.LoadUint32(&s.final.v.v) != 0 }
func (s *samplingState) finalize()       { atomic.StoreUint32(&s.final.v.v, 1) }

// newState is the state of a trace whose sampling is decided.
func newState(sampled bool) *samplingState {
	s := &samplingState{}
	if sampled {
		s.stateFlags.v = 1
	}
	s.final.v.v = 1
	return s
}

// known reports whether jaeger.Span is laid out like span.
var known = sync.OnceValue(func() bool {
	return alike(reflect.TypeFor[jaeger.Span](), reflect.TypeFor[span]())
})

// deaf is the observer of spans that nobody observes.
var deaf = sync.OnceValue(func() jaeger.ContribSpanObserver {
	tracer, closer := jaeger.NewTracer("", jaeger.NewConstSampler(false), jaeger.NewNullReporter())
	defer closer.Close()
	return fieldsOf(tracer.StartSpan("").(*jaeger.Span)).observer
})

// alike reports whether values of two types are laid out alike, in fields of the same names.
func alike(a, b reflect.Type) bool {
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
		return alike(a.Elem(), b.Elem())
	case reflect.Array:
		return a.Len() == b.Len() && alike(a.Elem(), b.Elem())
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
		if !strings.EqualFold(f.Name, g.Name) || f.Offset != g.Offset || !alike(f.Type, g.Type) {
			return false
		}
	}
	return true
}

// The conversions below want known to be true.

func fieldsOf(s *jaeger.Span) *span { return (*span)(unsafe.Pointer(s)) }

func partsOf(c *jaeger.SpanContext) *spanContext { return (*spanContext)(unsafe.Pointer(c)) }

func (s *span) jaeger() *jaeger.Span { return (*jaeger.Span)(unsafe.Pointer(s)) }

// plain views the tags of a sampler as those of everybody else.
func plain(tags []jaeger.Tag) []opentracing.Tag {
	return unsafe.Slice((*opentracing.Tag)(unsafe.Pointer(unsafe.SliceData(tags))), len(tags))
}

func (c *spanContext) jaeger() *jaeger.SpanContext { return (*jaeger.SpanContext)(unsafe.Pointer(c)) }
