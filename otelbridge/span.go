package otelbridge

import (
	"context"
	"sync"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// span is a span of both APIs around one that the tracer below has made. It is a view of a span that others own, as of
// a middleware's request, or of one that OpenTelemetry or OpenTracing code started through the bridge.
type span struct {
	embedded.Span
	bridge *Bridge
	tracer *tracer // nil unless OpenTelemetry code started the span
	ot     opentracing.Span
	jaeger *jaeger.Span // ot, or nil
	caller *strangers   // set before others see the span

	byEngine bool // the engine of the bridge started it
	own      bool // OpenTelemetry code started it, so that its End finishes it
	remote   bool // it stands for a caller in another process

	mu    sync.Mutex
	ended bool
	code  codes.Code
	ctx   context.Context   // see spanAsContext
	shown map[string]string // the baggage that OpenTelemetry has seen last, see merged
	more  *recorded         // nil until needed
}

// recorded is what OpenTelemetry code has recorded of a span and what is written at its end.
type recorded struct {
	description string // of the status
	events      []opentracing.LogRecord
	links       []model.Ref
	dropped     model.Dropped
	keys        map[string]bool // of the attributes of a span that is not jaeger-client-go's
}

var (
	_ trace.Span       = (*span)(nil)
	_ opentracing.Span = (*span)(nil)
	_ engine.View      = (*span)(nil)
)

// strangers are callers whose context was not obeyed.
type strangers struct {
	sc     opentracing.SpanContext
	linked bool // by OpenTelemetry code, which may well obey it further inside
}

// Distrust implements [engine.View].
func (s *span) Distrust(caller opentracing.SpanContext) { s.caller = &strangers{sc: caller} }

// distrustLinked records the caller that OpenTelemetry code starts a new trace and a link for, as it does at public
// endpoints.
func (s *span) distrustLinked(links []trace.Link) {
	for _, l := range links {
		if l.SpanContext.IsValid() && l.SpanContext.IsRemote() {
			s.caller = &strangers{jaegerContext(l.SpanContext), true}
			return
		}
	}
}

// Distrusts reports whether the context of the caller was not obeyed when this span started.
func (s *span) Distrusts(caller opentracing.SpanContext) bool {
	return s.caller != nil && traceID(s.caller.sc) == traceID(caller)
}

// TracerProvider implements [trace.Span].
func (s *span) TracerProvider() trace.TracerProvider { return s.bridge.provider }

// IsRecording reports whether the span is sampled, or may still be, and has not ended.
func (s *span) IsRecording() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended && s.records()
}

// records reports whether the span below records.
func (s *span) records() bool {
	if s.jaeger != nil {
		return engine.Recording(s.jaeger)
	}
	if r, ok := s.ot.(interface{ IsRecording() bool }); ok {
		return r.IsRecording()
	}
	_, noop := s.ot.Tracer().(opentracing.NoopTracer)
	return !noop
}

// record runs f if the span records.
func (s *span) record(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.records() {
		f()
	}
}

// details returns what is written at the end, to add to it.
func (s *span) details() *recorded {
	if s.more == nil {
		s.more = &recorded{}
	}
	return s.more
}

func (s *span) setTags(tags []opentracing.Tag) {
	if s.jaeger != nil {
		engine.SetTags(s.jaeger, tags...)
		return
	}
	for _, t := range tags {
		s.ot.SetTag(t.Key, t.Value)
	}
}

// Close implements [engine.View].
func (s *span) Close() []opentracing.LogRecord {
	logs, _ := s.end()
	return logs
}

// end writes what is known at the end only, and returns the events. From then on the span below is not touched.
// first is false if the span has ended before.
func (s *span) end() (logs []opentracing.LogRecord, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, false
	}
	s.ended = true
	if s.code == codes.Unset && s.more == nil && (s.tracer == nil || s.tracer.scope == nil) || !s.records() {
		return nil, true
	}
	var list [4]opentracing.Tag
	tags := s.statusTags(list[:0])
	if d := s.lastDetails(); d != nil {
		tags = append(tags, opentracing.Tag{Key: semconv.KeyDetails, Value: d})
	}
	s.setTags(tags)
	if s.more != nil {
		logs = s.more.events
	}
	return logs, true
}

// statusTags appends the status as OpenTracing has it, but not error a second time.
func (s *span) statusTags(tags []opentracing.Tag) []opentracing.Tag {
	switch s.code {
	case codes.Ok:
		return append(tags, opentracing.Tag{Key: semconv.KeyStatusCode, Value: "OK"})
	case codes.Error:
		if s.own || !s.hasFailed() {
			tags = append(tags, opentracing.Tag{Key: semconv.KeyError, Value: true})
		}
		tags = append(tags, opentracing.Tag{Key: semconv.KeyStatusCode, Value: "ERROR"})
		if s.more != nil && s.more.description != "" {
			tags = append(tags, opentracing.Tag{Key: semconv.KeyStatusDescription, Value: s.wholeText(s.more.description)})
		}
	}
	return tags
}

// wholeText returns a text that is not to be shortened, as OpenTelemetry's SDK does not shorten descriptions.
func (s *span) wholeText(text string) any {
	if limit := s.bridge.limits.ValueLength; s.jaeger != nil && limit >= 0 && len(text) > limit {
		return model.String(text).Whole()
	}
	return text
}

// hasFailed reports whether the owner of the span has set its error tag.
func (s *span) hasFailed() (failed bool) {
	return s.jaeger != nil && s.jaeger.Tags()[semconv.KeyError] == true
}

// lastDetails returns what OpenTracing has no place for, or nil if there is nothing. mocktracer and others that are not
// exported by this kit get links as logs.
func (s *span) lastDetails() *model.Details {
	d := &model.Details{}
	if s.tracer != nil {
		d.Scope = s.tracer.scope
	}
	if s.more != nil {
		d.Links, d.Dropped = s.more.links, s.more.dropped
		s.addReferences(d.Links)
	}
	if s.jaeger == nil || d.Scope == nil && d.Links == nil && d.Dropped == (model.Dropped{}) {
		return nil
	}
	return d
}
