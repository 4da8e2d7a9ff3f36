package spanlog

import (
	"context"
	"log/slog"
	"slices"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
)

// Option changes what [Handler] does.
type Option func(*config)

type config struct {
	traceKey, spanKey string
	spanLogs          slog.Leveler // nil: records are not copied
}

// WithKeys replaces the keys "trace_id" and "span_id". An id whose key is empty is left out.
func WithKeys(traceID, spanID string) Option {
	return func(c *config) { c.traceKey, c.spanKey = traceID, spanID }
}

// WithSpanLogs also copies the records of a level and above onto the active span as logs, if the span is sampled. A
// copy has at most 16 attributes, with values of at most 256 bytes; values with a secret's name are masked. A nil level
// copies nothing. How many logs a span keeps is limited by the tracer.
func WithSpanLogs(level slog.Leveler) Option {
	return func(c *config) { c.spanLogs = level }
}

// Handler returns a handler that passes records on to next, with the ids of the active span added as strings: trace_id
// has 32 hexadecimal digits, span_id 16. Records without a span, or with one whose tracer is not jaeger-client-go's,
// are passed on unchanged. The handler may be used concurrently if next may, and returns next's errors.
func Handler(next slog.Handler, opts ...Option) slog.Handler {
	c := &config{traceKey: "trace_id", spanKey: "span_id"}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	return &handler{config: c, top: next, next: next}
}

// handler keeps the handler from before the first open group, because attributes that are added to next would be put
// into the group.
type handler struct {
	*config
	top   slog.Handler                      // next without what stands in groups
	next  slog.Handler                      // next with everything
	steps []func(slog.Handler) slog.Handler // the calls that make next of top; nil without an open group
	logs  spanAttrs                         // the attributes of the logger, for copies on spans
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if ctx == nil {
		return h.next.Handle(ctx, r)
	}
	span := opentracing.SpanFromContext(ctx)
	if span == nil {
		return h.next.Handle(ctx, r)
	}
	return h.handleIn(ctx, span, r)
}

// handleIn is apart from Handle, so that a record without a span does not escape to the heap.
func (h *handler) handleIn(ctx context.Context, span opentracing.Span, r slog.Record) error {
	sc := span.Context()
	traceID := carrier.TraceID(sc)
	if traceID == "" {
		return h.next.Handle(ctx, r)
	}
	if h.spanLogs != nil && r.Level >= h.spanLogs.Level() && isSampled(sc) {
		h.logs.copyTo(span, r)
	}
	if h.steps == nil {
		r = r.Clone()
		h.addIDs(&r, traceID, sc)
		return h.next.Handle(ctx, r)
	}
	return h.inGroup(traceID, sc).Handle(ctx, r)
}

func (h *handler) addIDs(r *slog.Record, traceID string, sc opentracing.SpanContext) {
	switch {
	case h.traceKey != "" && h.spanKey != "":
		r.AddAttrs(slog.String(h.traceKey, traceID), slog.String(h.spanKey, carrier.SpanID(sc)))
	case h.traceKey != "":
		r.AddAttrs(slog.String(h.traceKey, traceID))
	case h.spanKey != "":
		r.AddAttrs(slog.String(h.spanKey, carrier.SpanID(sc)))
	}
}

// inGroup returns a handler that is next with the ids at the top level.
func (h *handler) inGroup(traceID string, sc opentracing.SpanContext) slog.Handler {
	var ids slog.Record
	h.addIDs(&ids, traceID, sc)
	attrs := make([]slog.Attr, 0, 2)
	ids.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	next := h.top.WithAttrs(attrs)
	for _, step := range h.steps {
		next = step(next)
	}
	return next
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	n := h.with(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) }, h.steps != nil)
	if h.spanLogs != nil {
		n.logs = h.logs.with(attrs)
	}
	return n
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := h.with(func(next slog.Handler) slog.Handler { return next.WithGroup(name) }, true)
	n.logs.prefix += name + "."
	return n
}

// with returns the handler after step, which is repeated for each record if it is done inside a group.
func (h *handler) with(step func(slog.Handler) slog.Handler, grouped bool) *handler {
	n := *h
	n.next = step(h.next)
	if grouped {
		n.steps = append(slices.Clip(h.steps), step)
	} else {
		n.top = n.next
	}
	return &n
}
