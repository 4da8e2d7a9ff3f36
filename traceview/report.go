package traceview

import (
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
)

const (
	queueSize = 16 << 10
	pause     = 10 * time.Millisecond // between two looks at the queue: nobody has to wake the worker
	idleTurns = 20                    // looks without a span before the worker ends

	maxTracers = 1_000 // whose processes are remembered
)

// limits bounds one span, whichever way it came.
var limits = model.Limits{Tags: 256, Logs: 512, Fields: 64, ValueBytes: 32 << 10}

// Report takes a finished span of any tracer. It never blocks: a span that meets a full queue is counted, and the
// pages show the count.
func (v *View) Report(span *jaeger.Span) {
	span.Retain()
	select {
	case v.queue <- span:
		if !v.working.Load() {
			v.startWorker()
		} else if len(v.queue) == queueSize/4 {
			v.wake()
		}
	default:
		sc := span.SpanContext()
		v.open.end(keyOf(&sc))
		span.Release()
		v.overflow.Add(1)
	}
}

// Close stores what is queued and waits until the view's goroutine has ended. Traces stay visible, and the view still
// stores what [View.Report] gets afterwards, since tracers that share a view are closed one by one. Open spans are
// forgotten, because a closed tracer does not report their end.
func (v *View) Close() {
	v.streams.endAll()
	v.drain()
	v.open.clear()
	v.workerMu.Lock()
	worker := v.worker
	v.stopping.Store(true)
	v.workerMu.Unlock()
	if worker != nil {
		v.wake()
		<-worker
	}
	v.stopping.Store(false)
}

func (v *View) wake() {
	select {
	case v.hurry <- struct{}{}:
	default:
	}
}

func (v *View) startWorker() {
	v.workerMu.Lock()
	defer v.workerMu.Unlock()
	if v.working.Load() {
		return
	}
	v.working.Store(true)
	v.worker = make(chan struct{})
	go v.work(v.worker)
}

// work moves spans to the store until none has come for a while.
func (v *View) work(done chan struct{}) {
	defer close(done)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for idle := 0; ; {
		select {
		case <-timer.C:
		case <-v.hurry:
		}
		timer.Reset(pause)
		if v.drain() > 0 {
			idle = 0
		} else {
			idle++
		}
		if (idle >= idleTurns || v.stopping.Load()) && v.tryStop() {
			return
		}
	}
}

// tryStop lets the worker end, unless a span came in between.
func (v *View) tryStop() bool {
	v.workerMu.Lock()
	defer v.workerMu.Unlock()
	v.working.Store(false)
	if len(v.queue) > 0 {
		v.working.Store(true)
		return false
	}
	return true
}

// drain stores the spans that are queued now and returns how many they were.
func (v *View) drain() int {
	v.drainMu.Lock()
	defer v.drainMu.Unlock()
	n := len(v.queue)
	for range n {
		select {
		case span := <-v.queue:
			v.take(span)
		default:
			return n
		}
	}
	return n
}

func (v *View) take(src *jaeger.Span) {
	defer src.Release()
	l := fromjaeger.Loader{Limits: limits}
	l.Load(src)
	dropped := l.Span.Dropped
	v.store.add(v.processOf(src), &l.Span, int(dropped.Tags+dropped.Logs+dropped.Fields))
	v.open.end(openKey{l.Span.TraceID.Low, l.Span.SpanID})
}

// processOf describes the tracer that made the span, looked up once for each tracer.
func (v *View) processOf(src *jaeger.Span) *process {
	tracer := src.Tracer()
	if p := v.processes[tracer]; p != nil {
		return p
	}
	if len(v.processes) >= maxTracers {
		clear(v.processes)
	}
	mp := model.Process{Service: jaeger.BuildJaegerProcessThrift(src).ServiceName}
	if t, ok := tracer.(*jaeger.Tracer); ok {
		for _, tag := range t.Tags() {
			mp.Tags = append(mp.Tags, model.Tag{Key: tag.Key, Value: model.ValueOf(tag.Value, limits.ValueBytes)})
		}
	}
	p := v.store.process(mp)
	v.processes[tracer] = p
	return p
}
