package tracerinit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/fromjaeger"
)

// fanout is the engine's reporter: it hands each span to every exporter and reporter.
type fanout struct {
	reported  atomic.Uint64
	limited   limitCounts
	pipelines []*export.Pipeline
	reporters []*reporter
	loaders   sync.Pool // of *fromjaeger.Loader
	converter converter
}

// Report implements [jaeger.Reporter].
func (f *fanout) Report(span *jaeger.Span) {
	f.reported.Add(1)
	if len(f.reporters) == 0 {
		f.export(span)
		return
	}
	defer f.export(span) // also if a reporter ends the goroutine
	reportTo(f.reporters, span)
}

// reportTo hands a span to every reporter, also if one of them ends the goroutine.
func reportTo(reporters []*reporter, span *jaeger.Span) {
	if len(reporters) > 1 {
		defer reportTo(reporters[1:], span)
	}
	reporters[0].report(span)
}

// export hands a span to every exporter.
func (f *fanout) export(span *jaeger.Span) {
	if len(f.pipelines) == 0 {
		return
	}
	l := f.loaders.Get().(*fromjaeger.Loader)
	if l.LoadSimple(span) {
		f.limited.add(&l.Span)
		for _, p := range f.pipelines {
			p.Enqueue(&l.Span)
		}
	} else {
		f.converter.submit(span)
	}
	l.Reset()
	f.loaders.Put(l)
}

// countLate counts a span that was started after Shutdown.
func (f *fanout) countLate() {
	f.reported.Add(1)
	for _, r := range f.reporters {
		r.late.Add(1)
	}
	for _, p := range f.pipelines {
		p.CountLost()
	}
}

// Close implements [jaeger.Reporter]; Shutdown closes what there is.
func (f *fanout) Close() {}

// reporter guards a reporter of the user's.
type reporter struct {
	jaeger.Reporter
	starts    StartReporter // the same reporter; nil if it is none
	name      string
	closed    atomic.Bool
	closing   sync.Once
	done      chan struct{} // closed when Close has returned
	delivered atomic.Uint64
	panicked  atomic.Uint64
	late      atomic.Uint64
}

func guard(r jaeger.Reporter) *reporter {
	starts, _ := r.(StartReporter)
	return &reporter{Reporter: r, starts: starts, name: fmt.Sprintf("%T", r), done: make(chan struct{})}
}

func (r *reporter) report(span *jaeger.Span) {
	if r.closed.Load() {
		r.late.Add(1)
		return
	}
	returned := false
	defer func() {
		_ = recover()
		if returned {
			r.delivered.Add(1)
		} else {
			r.panicked.Add(1)
		}
	}()
	r.Report(span)
	returned = true
}

// shutdown closes the reporter once, and waits for it until ctx ends.
func (r *reporter) shutdown(ctx context.Context) error {
	r.closing.Do(func() {
		r.closed.Store(true)
		go func() {
			defer close(r.done)
			defer func() { _ = recover() }()
			r.Close()
		}()
	})
	return await(ctx, r.done, r.name+": Close did not return in time")
}

func await(ctx context.Context, done <-chan struct{}, late string) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		select { // done counts if both are
		case <-done:
			return nil
		default:
			return fmt.Errorf("%s: %w", late, context.Cause(ctx))
		}
	}
}

// logReporter writes a line for each span, if JAEGER_REPORTER_LOG_SPANS is set.
type logReporter struct{ logger *slog.Logger }

func (l logReporter) Report(s *jaeger.Span) {
	sc := s.SpanContext()
	l.logger.Info("span", "operation", s.OperationName(),
		"trace_id", sc.TraceID().String(), "span_id", sc.SpanID().String(), "duration", s.Duration())
}

func (logReporter) Close() {}
