package spanlog

import (
	"context"
	"log/slog"
	"slices"

	"github.com/opentracing/opentracing-go"
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
// copy has at most 16 attributes, with values of at most 256 bytes; values with a secret's name, or in a group with
// one, are masked. A nil level copies nothing. How many logs a span keeps is limited by the tracer.
func WithSpanLogs(level slog.Leveler) Option {
	return func(c *config) { c.spanLogs = level }
}

// Handler returns a handler that passes records on to next, with the ids of the active span added as strings: trace_id
// has 32 hexadecimal digits, span_id 16. Records without a span, or with one whose tracer is not jaeger-client-go's,
// are passed on unchanged. A key that a record or its logger already has at the top level is not added, so that nested
// handlers add the ids once. The handler may be used concurrently if next may, and returns next's errors. Handler
// panics if next is nil.
func Handler(next slog.Handler, opts ...Option) slog.Handler {
	c := &config{traceKey: "trace_id", spanKey: "span_id"}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	switch inner := next.(type) {
	case nil:
		panic("spanlog: nil Handler")
	case *handler:
		if inner.traceKey == c.traceKey && inner.spanKey == c.spanKey {
			return inner.withConfig(c)
		}
	}
	return &handler{config: c, given: given{}.with(c, ""), top: next, next: next}
}

// handler keeps the handler from before the first open group, because attributes that are added to next would be put
// into the group.
type handler struct {
	*config
	given  given        // by the logger
	top    slog.Handler // next without what stands in groups
	next   slog.Handler // next with everything
	groups []openGroup  // that are open, from the outermost to the innermost
	logs   spanAttrs    // the attributes of the logger, for copies on spans
}

// given are the ids that need not be added, since the program itself has them at the top level, or no key for them.
type given struct{ trace, span bool }

func (g given) with(c *config, key string) given {
	return given{g.trace || key == c.traceKey, g.span || key == c.spanKey}
}

// withAttr adds what an attribute brings to the top level. The attributes of a group without a name stand there, too.
func (g given) withAttr(c *config, a slog.Attr, depth int) given {
	if a.Key != "" || a.Value.Kind() != slog.KindGroup || depth > maxDepth {
		return g.with(c, a.Key)
	}
	for _, member := range a.Value.Group() {
		g = g.withAttr(c, member, depth+1)
	}
	return g
}

// openGroup is a group with the attributes that the logger has in it, whose values are resolved.
type openGroup struct {
	name  string
	attrs []slog.Attr
}

// withConfig returns h with a configuration of the same keys.
func (h *handler) withConfig(c *config) *handler {
	if c.spanLogs == nil {
		c.spanLogs = h.spanLogs
	}
	n := *h
	n.config = c
	return &n
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
	ids := idsOf(span)
	if ids.trace == "" {
		return h.next.Handle(ctx, r)
	}
	if h.spanLogs != nil && r.Level >= h.spanLogs.Level() && ids.sampled {
		h.logs.copyTo(span, r)
	}
	if h.groups == nil {
		given := h.given
		r.Attrs(func(a slog.Attr) bool {
			given = given.withAttr(h.config, a, 0)
			return true
		})
		r = r.Clone()
		h.addIDs(&r, ids, given)
		return h.next.Handle(ctx, r)
	}
	nested := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	h.addIDs(&nested, ids, h.given)
	nested.AddAttrs(h.nest(r))
	return h.top.Handle(ctx, nested)
}

func (h *handler) addIDs(r *slog.Record, ids spanIDs, given given) {
	switch {
	case !given.trace && !given.span:
		r.AddAttrs(slog.String(h.traceKey, ids.trace), slog.String(h.spanKey, ids.span))
	case !given.trace:
		r.AddAttrs(slog.String(h.traceKey, ids.trace))
	case !given.span:
		r.AddAttrs(slog.String(h.spanKey, ids.span))
	}
}

// nest returns the attributes of a record within the open groups. All groups share one array.
func (h *handler) nest(r slog.Record) (group slog.Attr) {
	last := len(h.groups) - 1
	size := r.NumAttrs()
	for i := range h.groups {
		size += len(h.groups[i].attrs) + 1
	}
	all := make([]slog.Attr, 0, size)
	for i := last; i >= 0; i-- {
		start := len(all)
		all = append(all, h.groups[i].attrs...)
		if i == last {
			r.Attrs(func(a slog.Attr) bool {
				all = append(all, a)
				return true
			})
		} else if len(group.Value.Group()) > 0 { // package slog leaves out empty groups, at the cost of a copy
			all = append(all, group)
		}
		group = slog.Attr{Key: h.groups[i].name, Value: slog.GroupValue(all[start:len(all):len(all)]...)}
	}
	return group
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	if h.groups != nil || h.spanLogs != nil { // the values are kept here, too
		attrs = resolvedAll(attrs, 0)
	}
	n := *h
	n.next = h.next.WithAttrs(attrs)
	if h.groups == nil {
		n.top = n.next
		for _, a := range attrs {
			n.given = n.given.withAttr(h.config, a, 0)
		}
	} else {
		n.groups = slices.Clone(h.groups)
		last := &n.groups[len(n.groups)-1]
		last.attrs = append(slices.Clip(last.attrs), attrs...)
	}
	if h.spanLogs != nil {
		n.logs = h.logs.with(attrs)
	}
	return &n
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := *h
	n.next = h.next.WithGroup(name)
	n.groups = append(slices.Clip(h.groups), openGroup{name: name})
	n.logs.open = n.logs.open.with(name)
	return &n
}

// resolvedAll returns attrs with the values that their LogValuers have now, as handlers resolve what WithAttrs is
// called with. A LogValuer is read once, however many keep its value.
func resolvedAll(attrs []slog.Attr, depth int) []slog.Attr {
	attrs = slices.Clone(attrs)
	for i, a := range attrs {
		a.Value = a.Value.Resolve()
		if a.Value.Kind() == slog.KindGroup && depth < maxDepth {
			a.Value = slog.GroupValue(resolvedAll(a.Value.Group(), depth+1)...)
		}
		attrs[i] = a
	}
	return attrs
}
