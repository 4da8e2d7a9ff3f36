package rpcspan

import (
	"context"
	"runtime/pprof"

	"github.com/spanloom/spanloom/carrier"
)

// SetProfilingLabels puts the labels trace_id, span_id and span_name on the goroutine, so that profiles can be filtered
// by them, and returns ctx with the same labels. Ids that are not known have no label. The caller restores the
// goroutine's labels with pprof.SetGoroutineLabels(ctx).
func (s *Span) SetProfilingLabels(ctx context.Context, name string) context.Context {
	if s.span == nil {
		return ctx
	}
	labels := pprof.Labels("span_name", name)
	sc := s.span.Context()
	if trace, span := carrier.TraceID(sc), carrier.SpanID(sc); trace != "" && span != "" {
		labels = pprof.Labels("span_name", name, "trace_id", trace, "span_id", span)
	}
	ctx = pprof.WithLabels(ctx, labels)
	pprof.SetGoroutineLabels(ctx)
	return ctx
}
