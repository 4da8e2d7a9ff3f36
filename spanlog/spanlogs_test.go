package spanlog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/spanlog"
	"github.com/spanloom/spanloom/tracerinit"
)

type bad struct{}

func (bad) String() string { panic("no string") }

// logged returns the fields of the only log of a span, after use of a logger that copies warnings.
func logged(t *testing.T, sampled bool, use func(l *slog.Logger, span opentracing.Span)) []map[string]any {
	t.Helper()
	tracer, reporter := newTracer(t, sampled)
	span := tracer.StartSpan("op")
	use(slog.New(spanlog.Handler(slog.NewTextHandler(io.Discard, nil), spanlog.WithSpanLogs(slog.LevelWarn))), span)
	span.Finish()
	var all []map[string]any
	for _, s := range reporter.GetSpans() {
		for _, record := range s.(*jaeger.Span).Logs() {
			fields := map[string]any{}
			for _, f := range record.Fields {
				fields[f.Key()] = f.Value()
			}
			all = append(all, fields)
		}
	}
	return all
}

func TestRecordsAreCopied(t *testing.T) {
	all := logged(t, true, func(l *slog.Logger, span opentracing.Span) {
		ctx := opentracing.ContextWithSpan(t.Context(), span)
		l.InfoContext(ctx, "below the level")
		l = l.With("shop", "a").WithGroup("order").With("id", 7)
		l.WarnContext(ctx, "slow", "error", errors.New("boom"), slog.Group("in", "n", 1.5, "b", true), "u", uint64(3))
	})
	want := map[string]any{
		"event": "log", "level": "WARN", "message": "slow", "shop": "a", "order.id": int64(7), "order.error": "boom",
		"order.in.n": 1.5, "order.in.b": true, "order.u": uint64(3),
	}
	if len(all) != 1 || fmt.Sprint(all[0]) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", all, want)
	}
}

func TestCopiesAreBoundedAndMasked(t *testing.T) {
	all := logged(t, true, func(l *slog.Logger, span opentracing.Span) {
		args := []any{"password", "hunter2", "bad", bad{}, "long", strings.Repeat("x", 1<<20)}
		for i := range 100 {
			args = append(args, fmt.Sprint("k", i), i)
		}
		ctx := opentracing.ContextWithSpan(t.Context(), span)
		l.ErrorContext(ctx, "GET https://user:hunter2@host/?token=hunter2 "+strings.Repeat("y", 1<<20), args...)
	})
	if len(all) != 1 || len(all[0]) > 3+16 {
		t.Fatalf("%d logs, the first of %d fields", len(all), len(all[0]))
	}
	for key, value := range all[0] {
		if s, ok := value.(string); ok && (len(s) > 1024 || strings.Contains(s, "hunter2")) {
			t.Errorf("%s has %d bytes: %.80s", key, len(s), s)
		}
	}
}

func TestUnsampledSpansGetNoCopies(t *testing.T) {
	if all := logged(t, false, func(l *slog.Logger, span opentracing.Span) {
		l.ErrorContext(opentracing.ContextWithSpan(t.Context(), span), "m")
	}); len(all) != 0 {
		t.Errorf("got %v", all)
	}
}

// endless resolves to a group with itself in it.
type endless struct{ key string }

func (e endless) LogValue() slog.Value { return slog.GroupValue(slog.Any(e.key, e), slog.Int("n", 1)) }

// nothing handles every record by doing nothing.
type nothing struct{ slog.Handler }

func (nothing) Enabled(context.Context, slog.Level) bool  { return true }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (n nothing) WithAttrs([]slog.Attr) slog.Handler      { return n }
func (n nothing) WithGroup(string) slog.Handler           { return n }

// TestCopiesOfEndlessGroupsAndKeysAreBounded wherever they stand.
func TestCopiesOfEndlessGroupsAndKeysAreBounded(t *testing.T) {
	for name, key := range map[string]string{"without a name": "", "named": "g", "long": strings.Repeat("g", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newTracer(t, true)
			span := tracer.StartSpan("op")
			logger := slog.New(spanlog.Handler(nothing{}, spanlog.WithSpanLogs(slog.LevelInfo)))
			logger = logger.With("in the logger", endless{key}).WithGroup("h").With("in a group", endless{key})
			logger.InfoContext(opentracing.ContextWithSpan(t.Context(), span), "m", key+"k", endless{key})
			span.Finish()
			fields := reporter.GetSpans()[0].(*jaeger.Span).Logs()[0].Fields
			for _, f := range fields {
				if len(f.Key()) > 1024 {
					t.Errorf("a key has %d bytes", len(f.Key()))
				}
			}
			if len(fields) > 3+16 {
				t.Errorf("%d fields", len(fields))
			}
		})
	}
}

// TestCopiesOnASpanAreBounded by the limit of the kit's tracer, of which the newest are kept.
func TestCopiesOnASpanAreBounded(t *testing.T) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, Reporters: []jaeger.Reporter{reporter}, LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	span := tracer.StartSpan("op")
	logger := slog.New(spanlog.Handler(slog.DiscardHandler, spanlog.WithSpanLogs(slog.LevelInfo)))
	if logger.Enabled(t.Context(), slog.LevelError) {
		t.Error("a logger that discards everything is enabled for the sake of the span")
	}
	logger = slog.New(spanlog.Handler(nothing{}, spanlog.WithSpanLogs(slog.LevelInfo)))
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	for i := range 10_000 {
		logger.InfoContext(ctx, "m", "i", i)
	}
	span.Finish()
	if n := len(reporter.GetSpans()[0].(*jaeger.Span).Logs()); n == 0 || n > 128 {
		t.Errorf("%d records on the span, want at most 128", n)
	}
}
