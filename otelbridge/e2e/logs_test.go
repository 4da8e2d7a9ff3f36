package e2e

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/bridges/otelzap"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/spanloom/spanloom/httpmw"
)

// logExporter keeps the records that it gets.
type logExporter struct {
	mu      sync.Mutex
	records []sdklog.Record
}

func (e *logExporter) Export(_ context.Context, records []sdklog.Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range records {
		e.records = append(e.records, records[i].Clone())
	}
	return nil
}

func (*logExporter) Shutdown(context.Context) error   { return nil }
func (*logExporter) ForceFlush(context.Context) error { return nil }

// loggers write a record with OpenTelemetry's bridges for two loggers.
func loggers(p log.LoggerProvider) map[string]func(ctx context.Context) {
	return map[string]func(ctx context.Context){
		"otelslog": func(ctx context.Context) {
			slog.New(otelslog.NewHandler("shop", otelslog.WithLoggerProvider(p))).InfoContext(ctx, "hello")
		},
		"otelzap": func(ctx context.Context) {
			zap.New(otelzap.NewCore("shop", otelzap.WithLoggerProvider(p))).Info("hello", zap.Reflect("ctx", ctx))
		},
	}
}

// TestLogRecordsHaveTheIDsOfTheActiveSpan has the ids of the active span in the records, whichever API has started it.
func TestLogRecordsHaveTheIDsOfTheActiveSpan(t *testing.T) {
	spans := map[string]func(tr tracing, do func(ctx context.Context)){
		"of OpenTracing": func(tr tracing, do func(ctx context.Context)) {
			ctx, end := tr.Span(context.Background(), "s")
			defer end()
			do(ctx)
		},
		"of OpenTelemetry": func(tr tracing, do func(ctx context.Context)) {
			ctx, span := tr.Tracer("lib").Start(context.Background(), "s")
			defer span.End()
			do(ctx)
		},
		"of a request": func(tr tracing, do func(ctx context.Context)) {
			serveOnce(httpmw.Middleware(tr.OpenTracing), do)
		},
	}
	for spanName, in := range spans {
		for name := range loggers(nil) {
			t.Run(name+" in a span "+spanName, func(t *testing.T) {
				exporter := &logExporter{}
				p := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewSimpleProcessor(exporter)))
				c := newCollector(t)
				tr, flush := c.tracingOfBridge(t)
				in(tr, loggers(p)[name])
				flush()
				if len(exporter.records) != 1 || len(c.all()) != 1 {
					t.Fatalf("%d records, %d spans", len(exporter.records), len(c.all()))
				}
				r, s := exporter.records[0], c.all()[0]
				if id := r.TraceID(); !slices.Equal(id[:], s.TraceId) {
					t.Errorf("trace id %v, want %x", id, s.TraceId)
				}
				if id := r.SpanID(); !slices.Equal(id[:], s.SpanId) || r.TraceFlags() != trace.FlagsSampled {
					t.Errorf("span id %v, want %x; flags %v", id, s.SpanId, r.TraceFlags())
				}
			})
		}
	}
}
