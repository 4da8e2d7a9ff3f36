package otelbridge

import (
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
)

// SetName implements [trace.Span].
func (s *span) SetName(name string) { s.record(func() { s.ot.SetOperationName(name) }) }

// SetStatus implements [trace.Span]: a lower status does not replace a higher one, of which Ok is the highest. It is
// written at the end, so that the tags are there once.
func (s *span) SetStatus(code codes.Code, description string) {
	s.record(func() {
		if code < s.code || code > codes.Ok {
			return
		}
		s.code = code
		switch {
		case code == codes.Error && description != "":
			s.details().description = description
		case s.more != nil:
			s.more.description = ""
		}
	})
}

// SetAttributes implements [trace.Span].
func (s *span) SetAttributes(kv ...attribute.KeyValue) {
	if len(kv) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.records() {
		s.setAttributes(kv)
	}
}

func (s *span) setAttributes(kv []attribute.KeyValue) {
	if len(kv) == 0 {
		return
	}
	var list [8]opentracing.Tag
	tags := list[:0]
	dropped := 0
	for _, a := range kv {
		if !a.Valid() {
			dropped++
			continue
		}
		tags = append(tags, opentracing.Tag{Key: string(a.Key), Value: tagValue(a)})
	}
	if dropped += s.setLimited(tags); dropped > 0 {
		s.details().dropped.Tags += uint32(dropped)
	}
}

// setLimited sets tags within the limit of attributes and returns how many it has dropped.
func (s *span) setLimited(tags []opentracing.Tag) (dropped int) {
	if s.jaeger != nil {
		if dropped, ok := engine.SetTagsWithin(s.jaeger, s.bridge.limits.Attributes, isKitTag, tags...); ok {
			return dropped
		}
	}
	for _, t := range tags {
		if t.Key != samplingPriority {
			s.setTags([]opentracing.Tag{t})
		}
	}
	return 0
}

// AddEvent implements [trace.Span].
func (s *span) AddEvent(name string, opts ...trace.EventOption) {
	s.record(func() {
		cfg := trace.NewEventConfig(opts...)
		s.addEvent(name, cfg.Timestamp(), cfg.Attributes())
	})
}

// addEvent keeps the event for the end of the span, since OpenTracing only then takes logs with a time of their own.
func (s *span) addEvent(name string, at time.Time, kv []attribute.KeyValue) {
	d := s.details()
	most := s.bridge.limits.Events
	if most >= 0 && len(d.events) >= most && most > 0 {
		d.events = append(d.events[:0], d.events[1:]...)
		d.dropped.Logs++
	}
	kept := within(kv, s.bridge.limits.AttributesPerEvent)
	fields := make([]log.Field, 0, 2+len(kept))
	if name == "" || name == unnamedEvent {
		fields = append(fields, log.Object(eventField, model.EventName(name)))
	} else {
		fields = append(fields, log.Event(name))
	}
	for _, a := range kept {
		fields = append(fields, fieldOf(a))
	}
	if n := len(kv) - len(kept); n > 0 && s.jaeger != nil {
		fields = append(fields, log.Object("dropped", model.DroppedFields(n)))
	}
	d.events = append(d.events, opentracing.LogRecord{Timestamp: at, Fields: fields})
}

// within returns as many attributes as a limit allows.
func within(kv []attribute.KeyValue, most int) []attribute.KeyValue {
	if most >= 0 && len(kv) > most {
		return kv[:most]
	}
	return kv
}

// RecordError implements [trace.Span].
func (s *span) RecordError(err error, opts ...trace.EventOption) {
	if err == nil || !s.IsRecording() {
		return
	}
	s.recordException(typeName(err), errorText(err), trace.NewEventConfig(opts...))
}

func (s *span) recordException(typ, message string, cfg trace.EventConfig) {
	kv := append(cfg.Attributes()[:len(cfg.Attributes()):len(cfg.Attributes())],
		attribute.String("exception.type", typ), attribute.String("exception.message", message))
	if cfg.StackTrace() {
		kv = append(kv, attribute.String("exception.stacktrace", stack()))
	}
	s.record(func() { s.addEvent("exception", cfg.Timestamp(), kv) })
}

// typeName returns the name of v's type as OpenTelemetry's SDK does.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.PkgPath() == "" && t.Name() == "" {
		return t.String() // such as a pointer's
	}
	return fmt.Sprintf("%s.%s", t.PkgPath(), t.Name())
}

// errorText returns the text of an error whose method may panic.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "<panic>"
		}
	}()
	return err.Error()
}

// stack returns the beginning of the stack of the current goroutine.
func stack() string {
	text := make([]byte, 4096)
	return string(text[:runtime.Stack(text, false)])
}

// AddLink implements [trace.Span].
func (s *span) AddLink(l trace.Link) { s.record(func() { s.addLink(l) }) }

// addLink keeps the link for the end, and makes it a reference for those who only know OpenTracing. A reference that is
// given at the start would become the parent of a root span.
func (s *span) addLink(l trace.Link) {
	if !l.SpanContext.IsValid() && len(l.Attributes) == 0 && l.SpanContext.TraceState().Len() == 0 {
		return
	}
	if s.jaeger == nil {
		s.addEvent("link", time.Now(), append(l.Attributes[:len(l.Attributes):len(l.Attributes)],
			attribute.String("link.trace_id", l.SpanContext.TraceID().String()),
			attribute.String("link.span_id", l.SpanContext.SpanID().String())))
		return
	}
	d := s.details()
	if most := s.bridge.limits.Links; most > 0 && len(d.links) >= most {
		d.links = append(d.links[:0], d.links[1:]...)
		d.dropped.Refs++
	}
	d.links = append(d.links, s.linkOf(l))
	if l.SpanContext.IsValid() && len(d.links) <= maxReferences {
		engine.AddReference(s.jaeger, jaeger.Reference{
			Type: opentracing.FollowsFromRef, Context: jaegerContext(l.SpanContext),
		})
	}
}

func (s *span) linkOf(l trace.Link) model.Ref {
	kept := within(l.Attributes, s.bridge.limits.AttributesPerLink)
	id := jaegerContext(l.SpanContext)
	return model.Ref{
		Type:    model.FollowsFrom,
		TraceID: model.TraceID{High: id.TraceID().High, Low: id.TraceID().Low},
		SpanID:  uint64(id.SpanID()),
		Link: &model.Link{
			TraceState: l.SpanContext.TraceState().String(), Flags: linkFlags(l.SpanContext),
			Attributes: modelTags(kept), Dropped: uint32(len(l.Attributes) - len(kept)),
		},
	}
}

// End implements [trace.Span]. It finishes the span that OpenTelemetry code has started, once; who has started another
// finishes it. If End is deferred and the function panics, the panic is recorded and goes on.
func (s *span) End(opts ...trace.SpanEndOption) {
	if !s.own {
		return
	}
	cfg := trace.NewSpanEndConfig(opts...)
	if s.IsRecording() {
		if value := recover(); value != nil {
			defer panic(value)
			var stackTrace []trace.EventOption
			if cfg.StackTrace() {
				stackTrace = append(stackTrace, trace.WithStackTrace(true))
			}
			s.recordException(typeName(value), panicText(value), trace.NewEventConfig(stackTrace...))
		}
	}
	logs, first := s.end()
	if !first {
		return
	}
	if s.byEngine {
		s.bridge.engine.Finish(s.jaeger, cfg.Timestamp(), logs, nil)
		return
	}
	finish := opentracing.FinishOptions{FinishTime: cfg.Timestamp(), LogRecords: logs}
	if finish.FinishTime.IsZero() { // mocktracer takes a zero time literally
		finish.FinishTime = time.Now()
	}
	s.ot.FinishWithOptions(finish)
}

// panicText returns the text of a panic's value, whose methods may panic again.
func panicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", v)
		}
	}()
	return fmt.Sprint(v)
}
