package tracerinit_test

import (
	"context"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// These helpers are those of the tests inside the package, which export_test.go shares.
var (
	env        = tracerinit.LookupIn
	local      = tracerinit.LocalConfig
	start      = tracerinit.StartLocal
	memory     = tracerinit.StartInMemory
	eventually = tracerinit.Eventually
	contextOf  = tracerinit.ContextOf
)

type logBuffer = tracerinit.LogBuffer

const (
	callerTrace = tracerinit.CallerTrace
	callerSpan  = tracerinit.CallerSpan
)

// ending is a context that ends in d.
func ending(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func tagsOf(span opentracing.Span) opentracing.Tags { return span.(*jaeger.Span).Tags() }

func value(t testing.TB, tracer *tracerinit.Tracer, name string) tracerinit.Setting {
	t.Helper()
	for _, s := range tracer.Settings() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %q in %v", name, tracer.Settings())
	return tracerinit.Setting{}
}
