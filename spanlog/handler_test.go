package spanlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spanlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTracer returns a tracer of jaeger-client-go, whose spans have ids, and what it reports.
func newTracer(t testing.TB, sampled bool) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(sampled), reporter,
		jaeger.TracerOptions.Gen128Bit(true), testspans.Finished(t))
	t.Cleanup(func() { closer.Close() })
	return tracer, reporter
}

func lines(t *testing.T, b *bytes.Buffer) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(b.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// withSpan logs every record with the context of a span, as slogtest itself does not.
type withSpan struct {
	slog.Handler
	ctx context.Context
}

func (w withSpan) Handle(_ context.Context, r slog.Record) error { return w.Handler.Handle(w.ctx, r) }
func (w withSpan) WithAttrs(a []slog.Attr) slog.Handler {
	return withSpan{w.Handler.WithAttrs(a), w.ctx}
}
func (w withSpan) WithGroup(name string) slog.Handler {
	return withSpan{w.Handler.WithGroup(name), w.ctx}
}

func TestHandlerIsAHandler(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	for name, ctx := range map[string]context.Context{
		"without a span": t.Context(), "with a span": opentracing.ContextWithSpan(t.Context(), span),
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			h := withSpan{spanlog.Handler(slog.NewJSONHandler(&b, nil), spanlog.WithSpanLogs(slog.LevelDebug)), ctx}
			err := slogtest.TestHandler(h, func() []map[string]any { return lines(t, &b) })
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIDsStandAtTheTop(t *testing.T) {
	tracer, _ := newTracer(t, true)
	span := tracer.StartSpan("op")
	defer span.Finish()
	sc := span.Context().(jaeger.SpanContext)
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	for name, with := range map[string]func(*slog.Logger) *slog.Logger{
		"plain":                func(l *slog.Logger) *slog.Logger { return l },
		"attribute":            func(l *slog.Logger) *slog.Logger { return l.With("a", 1) },
		"group":                func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") },
		"attribute in a group": func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("g").With("b", 2) },
		"groups":               func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").WithGroup("h").With("b", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			var got, want bytes.Buffer
			with(slog.New(spanlog.Handler(slog.NewJSONHandler(&got, nil)))).InfoContext(ctx, "m", "k", "v")
			with(slog.New(slog.NewJSONHandler(&want, nil))).InfoContext(ctx, "m", "k", "v")
			g, w := lines(t, &got)[0], lines(t, &want)[0]
			if g["trace_id"] != fmt.Sprintf("%016x%016x", sc.TraceID().High, sc.TraceID().Low) ||
				g["span_id"] != fmt.Sprintf("%016x", uint64(sc.SpanID())) {
				t.Errorf("ids of %v, want %v", g, sc)
			}
			for _, key := range []string{"trace_id", "span_id", "time"} {
				delete(g, key)
				delete(w, key)
			}
			if fmt.Sprint(g) != fmt.Sprint(w) {
				t.Errorf("the rest is %v, want %v", g, w)
			}
		})
	}
}

func TestRecordsWithoutIDsAreUnchanged(t *testing.T) {
	for name, ctx := range map[string]context.Context{
		"no span":    context.Background(),
		"no-op span": opentracing.ContextWithSpan(context.Background(), opentracing.NoopTracer{}.StartSpan("x")),
		"nil":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			r := slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0)
			if err := spanlog.Handler(slog.NewTextHandler(&b, nil)).Handle(ctx, r); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != "level=INFO msg=m\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestKeysAreNamedByOption(t *testing.T) {
	tracer, _ := newTracer(t, false)
	span := tracer.StartSpan("op")
	defer span.Finish()
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	var b bytes.Buffer
	h := spanlog.Handler(slog.NewJSONHandler(&b, nil), spanlog.WithKeys("dd.trace", ""), nil)
	slog.New(h).InfoContext(ctx, "m")
	if got := lines(t, &b)[0]; got["dd.trace"] == nil || got["trace_id"] != nil || got["span_id"] != nil || got[""] != nil {
		t.Errorf("got %v", got)
	}
}

func Example() {
	// A real program logs to os.Stdout and has the span from httpmw or grpcmw in the request's context.
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
	defer closer.Close()
	span := tracer.StartSpan("place order")
	defer span.Finish()
	ctx := opentracing.ContextWithSpan(context.Background(), span)

	var out bytes.Buffer
	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(&out, nil)))
	logger.InfoContext(ctx, "order placed", "id", 42)

	var record struct {
		Msg     string
		ID      int
		TraceID string `json:"trace_id"`
	}
	_ = json.Unmarshal(out.Bytes(), &record)
	fmt.Fprintln(os.Stdout, record.Msg, record.ID, len(record.TraceID))
	// Output: order placed 42 32
}
