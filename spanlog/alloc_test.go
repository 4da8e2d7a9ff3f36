package spanlog_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/spanlog"
)

// TestAllocsOfARecord on top of the handler's own: none without a span, at most three with one, whatever the record and
// the logger have.
func TestAllocsOfARecord(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates; the gate runs this test without it, too")
	}
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	some := []slog.Attr{slog.Int("a", 1), slog.String("b", "c")}
	for name, with := range map[string]func(slog.Handler) slog.Handler{
		"plain":                 func(h slog.Handler) slog.Handler { return h },
		"attributes":            func(h slog.Handler) slog.Handler { return h.WithAttrs(some) },
		"group":                 func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
		"attributes in a group": func(h slog.Handler) slog.Handler { return h.WithAttrs(some).WithGroup("g").WithAttrs(some) },
		"attributes in 2 groups": func(h slog.Handler) slog.Handler {
			return h.WithGroup("g").WithAttrs(some).WithGroup("h").WithAttrs(some)
		},
		"attributes in 6 groups": func(h slog.Handler) slog.Handler {
			for _, name := range []string{"g", "h", "i", "j", "k", "l"} {
				h = h.WithGroup(name).WithAttrs(some)
			}
			return h
		},
		"6 groups": func(h slog.Handler) slog.Handler {
			for _, name := range []string{"g", "h", "i", "j", "k", "l"} {
				h = h.WithGroup(name)
			}
			return h
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, attrs := range []int{0, 2, 3, 4, 5, 6, 20} {
				t.Run(fmt.Sprintf("%d attributes", attrs), func(t *testing.T) {
					r := slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)
					for i := range attrs {
						r.AddAttrs(slog.Int("k", i))
					}
					for _, tt := range []struct {
						what string
						ctx  context.Context
						most float64
					}{{"no span", t.Context(), 0}, {"a span", opentracing.ContextWithSpan(t.Context(), span), 3}} {
						t.Run(tt.what, func(t *testing.T) {
							bare, h := with(slog.NewJSONHandler(io.Discard, nil)), with(spanlog.Handler(slog.NewJSONHandler(io.Discard, nil)))
							base := testing.AllocsPerRun(100, func() { _ = bare.Handle(tt.ctx, r) })
							if got := testing.AllocsPerRun(100, func() { _ = h.Handle(tt.ctx, r) }) - base; got > tt.most {
								t.Errorf("%s, %d attributes: %.0f allocations, at most %.0f", tt.what, attrs, got, tt.most)
							}
						})
					}
				})
			}
		})
	}
}
