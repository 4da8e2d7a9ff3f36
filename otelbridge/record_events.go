package otelbridge

import (
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/model"
)

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
	if most := s.bridge.limits.Events; most >= 0 && len(d.events) >= most {
		d.dropped.Logs++
		if most == 0 {
			return
		}
		d.events = append(d.events[:0], d.events[1:]...)
	}
	c := converter{limit: s.bridge.limits.ValueLength}
	kept := within(kv, s.bridge.limits.AttributesPerEvent)
	fields := make([]log.Field, 0, 2+len(kept))
	if s.jaeger != nil {
		fields = append(fields, log.Object(eventField, model.EventName(name)))
	} else {
		fields = append(fields, log.Event(name))
	}
	for _, a := range kept {
		fields = append(fields, c.fieldOf(a))
	}
	if n := len(kv) - len(kept); n > 0 && s.jaeger != nil {
		fields = append(fields, log.Object("dropped", model.DroppedFields(n)))
	}
	s.countCut(&c)
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
