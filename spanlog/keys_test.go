package spanlog_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/spanlog"
)

// between passes records on, so that two handlers are not next to each other.
type between struct{ slog.Handler }

func (b between) WithAttrs(attrs []slog.Attr) slog.Handler {
	return between{b.Handler.WithAttrs(attrs)}
}
func (b between) WithGroup(name string) slog.Handler { return between{b.Handler.WithGroup(name)} }

// TestKeysStandOnce at the top level of a record, which log stores may refuse otherwise. What the program says itself
// counts.
func TestKeysStandOnce(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	id, spanID := carrier.TraceID(span.Context()), carrier.SpanID(span.Context())
	for name, tt := range map[string]struct {
		log         func(l *slog.Logger)
		trace, span string
	}{
		"said by the record":       {func(l *slog.Logger) { l.InfoContext(ctx, "m", "trace_id", "mine") }, "mine", spanID},
		"said by the logger":       {func(l *slog.Logger) { l.With("trace_id", "mine").InfoContext(ctx, "m") }, "mine", spanID},
		"said in front of groups":  {func(l *slog.Logger) { l.With("span_id", "mine").WithGroup("g").InfoContext(ctx, "m", "k", 1) }, id, "mine"},
		"said in a nameless group": {func(l *slog.Logger) { l.InfoContext(ctx, "m", slog.Group("", slog.Group("", "trace_id", "mine"))) }, "mine", spanID},
		"said by the logger's":     {func(l *slog.Logger) { l.With(slog.Group("", "span_id", "mine")).InfoContext(ctx, "m") }, id, "mine"},
		"said in a group of one":   {func(l *slog.Logger) { l.InfoContext(ctx, "m", slog.Group("g", "trace_id", "mine")) }, id, spanID},
		"both said":                {func(l *slog.Logger) { l.With("span_id", "a").InfoContext(ctx, "m", "trace_id", "b") }, "b", "a"},
		"said in a group":          {func(l *slog.Logger) { l.WithGroup("g").With("trace_id", "mine").InfoContext(ctx, "m") }, id, spanID},
		"said by a group's record": {func(l *slog.Logger) { l.WithGroup("g").InfoContext(ctx, "m", "trace_id", "mine") }, id, spanID},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, wrap := range map[string]func(slog.Handler) slog.Handler{
				"one": func(h slog.Handler) slog.Handler { return spanlog.Handler(h) },
				"two": func(h slog.Handler) slog.Handler { return spanlog.Handler(between{spanlog.Handler(h)}) },
			} {
				var out bytes.Buffer
				tt.log(slog.New(wrap(slog.NewTextHandler(&out, nil))))
				var top []string // those in groups have the group in front
				for _, field := range strings.Fields(out.String()) {
					if strings.HasPrefix(field, "trace_id=") || strings.HasPrefix(field, "span_id=") {
						top = append(top, field)
					}
				}
				slices.Sort(top)
				if want := []string{"span_id=" + tt.span, "trace_id=" + tt.trace}; !slices.Equal(top, want) {
					t.Errorf("%s: got %v, want %v", kind, top, want)
				}
			}
		})
	}
}
