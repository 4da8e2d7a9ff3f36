package tracerinit

import (
	"context"
	"errors"
	"sync"
)

// Flush returns when every span reported before has been delivered or dropped by each exporter, or with an error
// when ctx ends.
func (t *Tracer) Flush(ctx context.Context) error {
	t.fan.converter.flush(ctx)
	var tasks []func(context.Context) error
	for _, p := range t.fan.pipelines {
		tasks = append(tasks, p.Flush)
	}
	return runAll(ctx, tasks)
}

// Shutdown sends what is queued, closes exporters, reporters and sampler, and returns at the latest 50 ms after ctx
// ends, whatever the network does; without a deadline ctx gets Config.ShutdownTimeout. A backend that has never taken a
// span is waited for only a second. The tracer then passes incoming contexts on,
// and stays the global one until another Start. Spans that end later, even if they start later, are counted as
// dropped. Calling it again is safe and returns the same.
func (t *Tracer) Shutdown(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.timeout)
		defer cancel()
	}
	t.closed.Store(true)
	t.disabled.Store(true)
	var tasks []func(context.Context) error
	for _, p := range t.fan.pipelines {
		tasks = append(tasks, p.Shutdown)
	}
	for _, r := range t.fan.reporters {
		tasks = append(tasks, r.shutdown)
	}
	if t.remote != nil {
		t.remote.Close()
		tasks = append(tasks, func(ctx context.Context) error {
			return await(ctx, t.remote.done, "the remote sampler did not stop in time")
		})
	}
	if t.custom != nil {
		tasks = append(tasks, t.custom.shutdown)
	}
	err := runAll(ctx, tasks)
	t.stopped.Do(t.fan.converter.close)
	if t.metrics != nil {
		t.metrics.shutdown()
	}
	return err
}

// Close is Shutdown within Config.ShutdownTimeout.
func (t *Tracer) Close() error { return t.Shutdown(context.Background()) }

// abandon stops what a Start that failed had started.
func (t *Tracer) abandon() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	t.fan.reporters = nil // they are the caller's still
	if t.remote != nil {
		t.remote.Close()
	}
	for _, p := range t.fan.pipelines {
		_ = p.Shutdown(ctx)
	}
	t.stopped.Do(t.fan.converter.close)
}

// runAll runs the tasks at once and joins their errors. Each keeps to ctx by itself.
func runAll(ctx context.Context, tasks []func(context.Context) error) error {
	errs := make([]error, len(tasks))
	var wg sync.WaitGroup
	for i, task := range tasks {
		wg.Go(func() { errs[i] = task(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
