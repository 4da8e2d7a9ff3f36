package tracerinit

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/woven"
)

// provisional is the tracer that wovenMain has started, until the program starts one itself.
var provisional atomic.Pointer[provisionalTracer]

type provisionalTracer struct {
	*Tracer
	closing sync.Once
	begun   atomic.Bool
}

// stop closes the tracer, and returns when it is closed.
func (p *provisionalTracer) stop() {
	p.begun.Store(true)
	p.closing.Do(func() { _ = p.Close() })
}

// wovenMain is called by code that is woven into the beginning of func main: see orchestrion.yml. It starts a tracer
// that is configured by the environment, unless there is one already, and the program calls stop when func main
// returns or panics. A program that starts a tracer of its own later, with [Start], replaces this one.
//
// Without a tracer the program runs as it would unwoven; the reason is logged.
func wovenMain() (stop func()) {
	switch opentracing.GlobalTracer().(type) {
	case opentracing.NoopTracer, *opentracing.NoopTracer:
	default:
		return func() {}
	}
	t, err := Start(Config{})
	if err != nil {
		slog.Error("tracing is off", slog.Any("error", err))
		return func() {}
	}
	p := &provisionalTracer{Tracer: t}
	provisional.Store(p)
	woven.SetProvisional(true)
	return func() {
		woven.SetProvisional(false)
		p.stop()
		provisional.CompareAndSwap(p, nil)
	}
}

func isProvisional(t *Tracer) bool {
	p := provisional.Load()
	return p != nil && p.Tracer == t
}

// replaceProvisional closes the provisional tracer, if there is one, now that the program has its own. What it has
// queued is still sent, which nobody waits for but the end of func main.
func replaceProvisional() {
	if p := provisional.Load(); p != nil && woven.Provisional() {
		woven.SetProvisional(false)
		go p.stop()
	}
}

// wovenExit is called by code that is woven into the beginning of [os.Exit]. It sends what is queued, within
// Config.ShutdownTimeout. It does nothing if the tracer is being closed, which may be what calls os.Exit.
func wovenExit() {
	if p := provisional.Load(); p != nil && woven.Provisional() && !p.begun.Load() {
		p.stop()
	}
}
