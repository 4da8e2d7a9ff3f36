package otelbridge

import (
	"fmt"
	"time"

	"github.com/opentracing/opentracing-go"
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
	c := converter{limit: s.bridge.limits.ValueLength}
	for _, a := range kv {
		if !a.Valid() {
			dropped++
			continue
		}
		tags = append(tags, opentracing.Tag{Key: string(a.Key), Value: c.tagValue(a)})
	}
	if dropped += s.setLimited(tags); dropped > 0 {
		s.details().dropped.Tags += uint32(dropped)
	}
	s.countCut(&c)
}

func (s *span) countCut(c *converter) {
	if c.cut > 0 {
		s.details().dropped.Values += c.cut
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
		switch {
		case t.Key == samplingPriority:
		case isKitTag(t.Key) || s.details().admits(t.Key, s.bridge.limits.Attributes):
			s.setTags([]opentracing.Tag{t})
		default:
			dropped++
		}
	}
	return dropped
}

// admits reports whether an attribute of this key is within the limit, and counts it: the tags of a span that is not
// jaeger-client-go's cannot be read.
func (r *recorded) admits(key string, limit int) bool {
	if limit < 0 || r.keys[key] {
		return true
	}
	if len(r.keys) >= limit {
		return false
	}
	if r.keys == nil {
		r.keys = map[string]bool{}
	}
	r.keys[key] = true
	return true
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
		s.bridge.engine.Finish(s.jaeger, cfg.Timestamp(), logs, nil, nil)
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
	return model.Sprint(v)
}
