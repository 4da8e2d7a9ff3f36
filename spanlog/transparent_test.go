package spanlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/spanlog"
)

// seven resolves to a number.
type seven struct{}

func (seven) LogValue() slog.Value { return slog.IntValue(7) }

// randomAttrs returns up to four attributes of many kinds, groups among them.
func randomAttrs(r *rand.Rand, depth int) []any {
	var attrs []any
	for range r.IntN(5) {
		key := fmt.Sprint("k", r.IntN(9))
		switch r.IntN(8) {
		case 0:
			attrs = append(attrs, slog.Int(key, r.IntN(99)))
		case 1:
			attrs = append(attrs, slog.Any(key, errors.New("oh")))
		case 2:
			attrs = append(attrs, slog.Duration(key, time.Second))
		case 3:
			if depth == 0 { // log/slog loses its way after a group of nothing but empty attributes
				attrs = append(attrs, slog.Attr{})
			}
		case 4:
			attrs = append(attrs, slog.Any(key, seven{}))
		case 5:
			if depth < 3 {
				attrs = append(attrs, slog.Group([]string{key, ""}[r.IntN(2)], append(randomAttrs(r, depth+1), "last", 1)...))
			}
		default:
			attrs = append(attrs, slog.String(key, "v\n"))
		}
	}
	return attrs
}

// useRandomly does the same with any logger for the same seed.
func useRandomly(ctx context.Context, l *slog.Logger, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	for range r.IntN(6) {
		if r.IntN(2) == 0 {
			l = l.WithGroup([]string{"g", "h", ""}[r.IntN(3)])
		} else {
			l = l.With(randomAttrs(r, 0)...)
		}
	}
	l.InfoContext(ctx, "message", randomAttrs(r, 0)...)
}

// TestRecordsAreThoseOfTheHandlerBelow but for the ids, however attributes and groups come about: a handler that is
// given the ids by its caller writes the same.
func TestRecordsAreThoseOfTheHandlerBelow(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	with := opentracing.ContextWithSpan(t.Context(), span)
	ids := []slog.Attr{
		slog.String("trace_id", carrier.TraceID(span.Context())), slog.String("span_id", carrier.SpanID(span.Context())),
	}
	replace := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		if a.Key == "k1" {
			a.Key = fmt.Sprint("replaced", groups)
		}
		return a
	}
	for name, newHandler := range map[string]func(io.Writer) slog.Handler{
		"JSON": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: replace})
		},
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: replace})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				var bare, logged, withIDs, inSpan bytes.Buffer
				useRandomly(t.Context(), slog.New(newHandler(&bare)), seed)
				useRandomly(t.Context(), slog.New(spanlog.Handler(newHandler(&logged))), seed)
				if bare.String() != logged.String() {
					t.Fatalf("seed %d, without a span\n%s\nwant\n%s", seed, &logged, &bare)
				}
				useRandomly(with, slog.New(newHandler(&withIDs).WithAttrs(ids)), seed)
				useRandomly(with, slog.New(spanlog.Handler(newHandler(&inSpan))), seed)
				if sortedLine(withIDs.String()) != sortedLine(inSpan.String()) {
					t.Fatalf("seed %d, with a span\n%s\nwant\n%s", seed, &inSpan, &withIDs)
				}
			}
		})
	}
}

// sortedLine returns the bytes of a line in order, since the ids may stand at another place of it.
func sortedLine(line string) string {
	var count [256]int
	for i := range len(line) {
		if line[i] != ',' && line[i] != ' ' {
			count[line[i]]++
		}
	}
	return fmt.Sprint(count)
}

func TestLoggersAreUsedConcurrently(t *testing.T) {
	tracer, reporter := newTracer(t, true)
	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(io.Discard, nil), spanlog.WithSpanLogs(slog.LevelInfo)))
	logger = logger.With("a", 1).WithGroup("g").With("b", 2)
	span := tracer.StartSpan("op")
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				logger.With("c", i).WithGroup("h").InfoContext(ctx, "m", "d", i)
				logger.InfoContext(ctx, "m")
			}
		})
	}
	wg.Wait()
	span.Finish()
	if n := len(reporter.GetSpans()[0].(*jaeger.Span).Logs()); n != 800 {
		t.Errorf("%d records on the span, want 800", n)
	}
}

// TestHandlersInEachOther add the ids once, and copies of records, too.
func TestHandlersInEachOther(t *testing.T) {
	for name, opts := range map[string][2][]spanlog.Option{
		"copies inside":  {{spanlog.WithSpanLogs(slog.LevelInfo)}, nil},
		"copies outside": {nil, {spanlog.WithSpanLogs(slog.LevelInfo)}},
		"copies in both": {{spanlog.WithSpanLogs(slog.LevelInfo)}, {spanlog.WithSpanLogs(slog.LevelInfo)}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newTracer(t, true)
			span := tracer.StartSpan("op")
			var b bytes.Buffer
			inner := spanlog.Handler(slog.NewTextHandler(&b, nil), opts[0]...)
			logger := slog.New(spanlog.Handler(inner.WithAttrs([]slog.Attr{slog.Int("a", 1)}), opts[1]...))
			logger.InfoContext(opentracing.ContextWithSpan(t.Context(), span), "m")
			span.Finish()
			if n := bytes.Count(b.Bytes(), []byte("trace_id=")); n != 1 || !bytes.Contains(b.Bytes(), []byte("a=1")) {
				t.Errorf("%d ids in %s", n, &b)
			}
			if n := len(reporter.GetSpans()[0].(*jaeger.Span).Logs()); n != 1 {
				t.Errorf("%d copies, want 1", n)
			}
		})
	}
}

func TestANilHandlerIsAnError(t *testing.T) {
	defer func() {
		if p := recover(); p != "spanlog: nil Handler" {
			t.Errorf("panic %v", p)
		}
	}()
	spanlog.Handler(nil)
}

// TestErrorsOfTheHandlerBelow are returned as they are.
func TestErrorsOfTheHandlerBelow(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	full := errors.New("disk full")
	for name, ctx := range map[string]context.Context{
		"without a span": t.Context(), "with a span": opentracing.ContextWithSpan(t.Context(), span),
	} {
		t.Run(name, func(t *testing.T) {
			h := spanlog.Handler(slog.NewTextHandler(failing{full}, nil))
			for _, h := range []slog.Handler{h, h.WithGroup("g")} {
				if err := h.Handle(ctx, slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)); err != full {
					t.Errorf("got %v, want %v", err, full)
				}
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// panicking is a span of a tracer that panics.
type panicking struct{ opentracing.Span }

func (panicking) LogFields(...log.Field) { panic("no logs") }

func TestATracerThatPanicsLosesTheCopyAlone(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	var b bytes.Buffer
	logger := slog.New(spanlog.Handler(slog.NewTextHandler(&b, nil), spanlog.WithSpanLogs(slog.LevelInfo)))
	logger.InfoContext(opentracing.ContextWithSpan(t.Context(), panicking{span}), "m")
	if !bytes.Contains(b.Bytes(), []byte("msg=m")) {
		t.Errorf("got %q", &b)
	}
}

// counting is a LogValuer whose value is another one each time that it is read.
type counting struct{ n *int }

func (c counting) LogValue() slog.Value { *c.n++; return slog.IntValue(*c.n) }

// TestValuesAreReadWhenTheyAreAdded: the values that With is called with are those of all records, as of other handlers.
func TestValuesAreReadWhenTheyAreAdded(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	var b bytes.Buffer
	n := 0
	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(&b, nil))).WithGroup("g").
		With("a", counting{&n}, slog.Group("h", "b", counting{&n}))
	logger.InfoContext(ctx, "first")
	logger.InfoContext(ctx, "second")
	got := lines(t, &b)
	if !reflect.DeepEqual(got[0]["g"], got[1]["g"]) || got[0]["trace_id"] == nil {
		t.Errorf("%v and %v", got[0], got[1])
	}
}

// TestValuesAreReadOnce by With, even where the handler below and the copies on spans need them, too.
func TestValuesAreReadOnce(t *testing.T) {
	for name, opts := range map[string][]spanlog.Option{
		"without copies": nil, "with copies": {spanlog.WithSpanLogs(slog.LevelInfo)},
	} {
		for _, group := range []string{"", "g"} {
			t.Run(name+" in group "+group, func(t *testing.T) {
				n := 0
				slog.New(spanlog.Handler(slog.NewJSONHandler(io.Discard, nil), opts...)).WithGroup(group).
					With("a", counting{&n}, slog.Group("h", "b", counting{&n}))
				if n != 2 {
					t.Errorf("two values were read %d times", n)
				}
			})
		}
	}
}

// TestAGroupWithoutANameIsNone: package slog wants the same handler.
func TestAGroupWithoutANameIsNone(t *testing.T) {
	h := spanlog.Handler(slog.DiscardHandler, spanlog.WithSpanLogs(slog.LevelInfo))
	for name, h := range map[string]slog.Handler{"top": h, "in a group": h.WithGroup("g")} {
		t.Run(name, func(t *testing.T) {
			if got := h.WithGroup(""); got != h {
				t.Errorf("got %v, want the handler itself", got)
			}
		})
	}
}
