package rpcspan

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
)

// Span is the span of one request. It must not be copied after Start.
type Span struct {
	span    opentracing.Span
	jaeger  *jaeger.Span   // span, when it is jaeger's
	engine  *engine.Engine // that started it; nil if the tracer did
	began   time.Time
	deaf    bool // span says that it records nothing
	ending  atomic.Bool
	mishaps atomic.Int32 // panics of user hooks
}

// Request is what a span starts with.
type Request struct {
	Name string
	Kind *Kind
	Tags []opentracing.Tag // set if the span records them
	Room int               // tags to come
}

// Start begins the span as a child of parent, which may be nothing, and reports what Recording does.
func (s *Span) Start(tracer opentracing.Tracer, r *Request, parent *Parent) (recording bool) {
	s.began = time.Now()
	if e := engine.Of(tracer); e != nil && parent.other == nil && r.Kind.list != nil {
		s.jaeger, recording = e.Start(&engine.Request{
			Name: r.Name, At: s.began, Server: r.Kind.server, Kind: r.Kind.list, Room: r.Room,
		}, parent.jaeger(), r.Tags)
		if s.jaeger != nil {
			s.span, s.engine = s.jaeger, e
			return recording
		}
	}
	s.span = tracer.StartSpan(r.Name, startOptions(tracer, r.Kind, parent)...)
	s.began = time.Now()
	if j, ok := s.span.(*jaeger.Span); ok {
		s.jaeger = j
	} else if q, ok := s.span.(interface{ IsRecording() bool }); ok {
		s.deaf = !q.IsRecording()
	}
	return s.SetTags(r.Tags...)
}

// Started reports whether there is a span.
func (s *Span) Started() bool { return s.span != nil }

// Began is when the span started.
func (s *Span) Began() time.Time { return s.began }

// OpenTracing returns the span itself, nil if there is none.
func (s *Span) OpenTracing() opentracing.Span { return s.span }

// Context returns ctx with the span in it.
func (s *Span) Context(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return opentracing.ContextWithSpan(ctx, s.span)
}

// Hooked returns ctx as the tracer wants it around its span: ctx itself, but for tracers that keep more than the
// span in a context. For middlewares whose per-request state is a context and answers with Value.
func (s *Span) Hooked(ctx context.Context) context.Context {
	if s.span != nil {
		if hook, ok := s.span.Tracer().(opentracing.TracerContextWithSpanExtension); ok {
			return hook.ContextWithSpanHook(ctx, s.span)
		}
	}
	return ctx
}

// Value returns the span if key is the one opentracing.SpanFromContext asks for, else nil.
func (s *Span) Value(key any) any {
	if s.span == nil || key != activeKey {
		return nil
	}
	return s.span
}

// Recording reports whether tags and logs can still matter: false once jaeger has decided not to sample. It may
// change while the request runs, so ask again before the last tags.
func (s *Span) Recording() bool {
	if s.jaeger == nil {
		return s.span != nil && !s.deaf
	}
	return engine.Recording(s.jaeger)
}

// SetTag sets a tag that is not set elsewhere: jaeger-client-go keeps both of two tags with one key.
func (s *Span) SetTag(key string, value any) { s.SetTags(opentracing.Tag{Key: key, Value: value}) }

// SetTags is SetTag for each of the tags, and reports what Recording does.
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

// Rename replaces the name the span was started with. One that was set since then stays, if the span can tell.
func (s *Span) Rename(started, name string) {
	if s.span == nil || started == name {
		return
	}
	if named, ok := s.span.(interface{ OperationName() string }); ok && named.OperationName() != started {
		return
	}
	s.span.SetOperationName(name)
}

// Fail marks the span as failed and logs why. stack is for panics only.
func (s *Span) Fail(kind, message string, stack []byte) {
	if s.span == nil {
		return
	}
	if !s.failed() {
		s.SetTag(string(ext.Error), true)
	}
	fields := make([]log.Field, 3, 4)
	fields[0], fields[1], fields[2] = log.Event("error"), log.String("error.kind", kind), log.Message(model.Cut(message, maxMessage))
	if stack != nil {
		fields = append(fields, log.String("stack", string(stack)))
	}
	s.span.LogFields(fields...)
}

// failed reports whether the handler has marked the span itself.
func (s *Span) failed() bool {
	return s.jaeger != nil && s.jaeger.Tags()[string(ext.Error)] == true
}

// maxMessage bounds error messages, which may quote what a remote caller sent.
const maxMessage = 1024

// Ending reports true to exactly one caller, who then sets the last tags and calls Finish.
func (s *Span) Ending() bool { return s.span != nil && s.ending.CompareAndSwap(false, true) }

// Finish ends the span at the given time, or now if end is zero, with events that were kept aside and its last tags,
// which may be nil.
func (s *Span) Finish(end time.Time, events []opentracing.LogRecord, last *Tags) {
	var tags []opentracing.Tag
	if last != nil {
		tags = last.list[:last.n]
	}
	if n := s.mishaps.Load(); n > 0 {
		s.SetTag("spanloom.hook_panics", int(n))
	}
	if s.engine != nil {
		s.engine.Finish(s.jaeger, end, events, tags)
		return
	}
	s.SetTags(tags...)
	if end.IsZero() && len(events) == 0 {
		s.span.Finish()
		return
	}
	if end.IsZero() && s.jaeger == nil { // mocktracer takes zero for a time
		end = time.Now()
	}
	s.span.FinishWithOptions(opentracing.FinishOptions{FinishTime: end, LogRecords: events})
}

// Contain must be deferred directly around a user's hook: it swallows a panic there and counts it on the span.
func (s *Span) Contain() {
	if recover() != nil {
		s.mishaps.Add(1)
	}
}
