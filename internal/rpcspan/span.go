package rpcspan

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Span is the span of one request. It must not be copied after Start.
type Span struct {
	span   opentracing.Span
	jaeger *jaeger.Span   // what span is or wraps, if jaeger-client-go made it
	engine *engine.Engine // the engine that started span; nil if the tracer did

	startTime  time.Time
	disabled   bool // the tracer makes no spans; span is a no-op
	finishing  atomic.Bool
	hookPanics atomic.Int32
	discarded  atomic.Bool
}

// StartInfo is what a span starts with.
type StartInfo struct {
	Name      string
	StartTags *StartTags
	Tags      []opentracing.Tag // set right after the start, if the span records them
	SpareTags int               // about how many tags will be set later
	Shared    *SharedTags       // StartTags and Tags, if the span is to share them; nil: not
}

// Start starts the span as a child of parent, or as a root span if parent is not valid, and returns the result of
// [Span.Recording].
func (s *Span) Start(tracer opentracing.Tracer, r *StartInfo, parent *Parent) (recording bool) {
	e := engine.Of(tracer)
	if e != nil {
		s.startTime = time.Now()
	}
	if e != nil && parent.foreign == nil && r.StartTags.list != nil {
		s.jaeger, recording = e.Start(&engine.StartInfo{
			Name: r.Name, Time: s.startTime, Server: r.StartTags.server, StartTags: r.StartTags.list, SpareTags: r.SpareTags,
			Shared: r.Shared,
		}, parent.jaegerOrNil(), r.Tags)
		if s.jaeger != nil {
			s.span, s.engine = s.jaeger, e
			if e.Views != nil {
				s.span = e.Views.View(s.jaeger)
			}
			return recording
		}
	}
	s.span = tracer.StartSpan(r.Name, startOptions(tracer, r.StartTags, parent)...)
	s.startTime = time.Now()
	s.disabled = e != nil && e.Disabled.Load()
	s.jaeger = engine.Under(s.span)
	s.continueBaggage(e, parent)
	if s.jaeger != nil {
		return engine.SetFirstTags(s.jaeger, r.SpareTags, r.Tags...)
	}
	return s.SetTags(r.Tags...)
}

// Started reports whether there is a span.
func (s *Span) Started() bool { return s.span != nil }

// Disabled reports whether the tracer makes no spans, so that the one here is a no-op which only passes the caller's
// context on.
func (s *Span) Disabled() bool { return s.disabled }

// StartTime returns when the span started.
func (s *Span) StartTime() time.Time { return s.startTime }

// SetStartTime sets the start of a request that has no span and is observed nonetheless.
func (s *Span) SetStartTime(t time.Time) { s.startTime = t }

// OpenTracingSpan returns the span itself, or nil if there is none.
func (s *Span) OpenTracingSpan() opentracing.Span { return s.span }

// Context returns ctx with the span in it.
func (s *Span) Context(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return opentracing.ContextWithSpan(ctx, s.span)
}

// TracerContext returns ctx with what the tracer adds to the contexts of its spans, which is nothing for most tracers:
// see [opentracing.TracerContextWithSpanExtension]. It is for middlewares whose per-request state is itself a context
// that answers with [Span.Value].
func (s *Span) TracerContext(ctx context.Context) context.Context {
	if s.engine != nil && s.engine.Views != nil {
		return s.engine.Views.Context(ctx, s.span.(engine.View))
	}
	if s.span != nil {
		if hook, ok := s.span.Tracer().(opentracing.TracerContextWithSpanExtension); ok {
			return hook.ContextWithSpanHook(ctx, s.span)
		}
	}
	return ctx
}

// Value returns the span if key is the one that [opentracing.SpanFromContext] looks up, what the [engine.Views] of the
// tracer have under key, or nil.
func (s *Span) Value(key any) any {
	switch {
	case s.span == nil:
	case key == activeKey:
		return s.span
	case s.engine != nil && s.engine.Views != nil:
		return s.engine.Views.Value(key, s.span.(engine.View))
	}
	return nil
}

// Observed reports whether observers of the tracer see the tags of the span even if it is not sampled. The tags of the
// outcome are set for them, too.
func (s *Span) Observed() bool {
	return s.jaeger != nil && s.engine == nil && engine.Observed(s.jaeger)
}

// Recording reports whether tags and logs can still matter: false once jaeger-client-go has decided not to sample. The
// result may change while the request runs, so it is checked again before the last tags are set.
func (s *Span) Recording() bool {
	switch {
	case s.span == nil:
		return false
	case s.jaeger != nil:
		return engine.Recording(s.jaeger)
	}
	recorder, ok := s.span.(interface{ IsRecording() bool })
	return !ok || recorder.IsRecording()
}

// SetTag sets a tag. No tag may be set twice: jaeger-client-go keeps both of two tags with one key.
func (s *Span) SetTag(key string, value any) { s.SetTags(opentracing.Tag{Key: key, Value: value}) }

// SetTags sets the tags and returns the result of [Span.Recording].
func (s *Span) SetTags(tags ...opentracing.Tag) (recording bool) {
	if s.jaeger != nil {
		return engine.SetTags(s.jaeger, tags...)
	}
	if s.span != nil {
		for _, tag := range tags {
			s.span.SetTag(tag.Key, tag.Value)
		}
	}
	return s.Recording()
}

// Rename replaces the operation name that the span was started with. A name that was set since then stays, if the span
// has a method OperationName.
func (s *Span) Rename(started, name string) {
	if s.span == nil || started == name {
		return
	}
	if named, ok := s.span.(interface{ OperationName() string }); ok && named.OperationName() != started {
		return
	}
	s.span.SetOperationName(name)
}

// Fail marks the span as failed and logs the error. stack is nil but for panics.
func (s *Span) Fail(kind, message string, stack []byte) {
	if s.span == nil {
		return
	}
	if !s.failed() {
		s.SetTag(semconv.KeyError, true)
	}
	fields := make([]log.Field, 3, 4)
	fields[0] = log.Event("error")
	fields[1] = log.String(semconv.KeyErrorKind, kind)
	fields[2] = log.Message(model.Cut(message, semconv.MaxMessage))
	if stack != nil {
		fields = append(fields, log.String("stack", string(stack)))
	}
	s.span.LogFields(fields...)
}

// failed reports whether the handler has already marked the span as failed.
func (s *Span) failed() bool {
	return s.jaeger != nil && s.jaeger.Tags()[semconv.KeyError] == true
}

// TryFinish returns true to exactly one caller, which then sets the last tags and calls [Span.Finish].
func (s *Span) TryFinish() bool { return s.span != nil && s.finishing.CompareAndSwap(false, true) }

// Finish finishes the span at end, or now if end is zero, with the given logs and its last tags, which may be nil.
func (s *Span) Finish(end time.Time, logs []opentracing.LogRecord, last *Tags) {
	var tags []opentracing.Tag
	var shared *SharedTags
	if last != nil {
		tags, shared = last.list[:last.n], last.Shared
	}
	if n := s.hookPanics.Load(); n > 0 {
		s.setTagsSafely(opentracing.Tag{Key: semconv.HookPanics.OpenTracing, Value: int(n)})
	}
	if s.engine != nil {
		if s.engine.Views != nil {
			logs = append(logs, s.span.(engine.View).Close()...)
		}
		s.engine.Finish(s.jaeger, end, logs, tags, shared)
		return
	}
	s.setTagsSafely(tags...)
	if end.IsZero() && len(logs) == 0 {
		s.span.Finish()
		return
	}
	if end.IsZero() && s.jaeger == nil { // mocktracer takes a zero time literally
		end = time.Now()
	}
	s.span.FinishWithOptions(opentracing.FinishOptions{FinishTime: end, LogRecords: logs})
}

// setTagsSafely is SetTags for tracers whose spans may panic: the span is finished all the same.
func (s *Span) setTagsSafely(tags ...opentracing.Tag) {
	defer s.RecoverHook()
	s.SetTags(tags...)
}

// RecoverHook is deferred directly in the function that calls a user's hook. It recovers a panic of the hook and counts
// it on the span.
func (s *Span) RecoverHook() {
	if recover() != nil {
		s.hookPanics.Add(1)
	}
}
