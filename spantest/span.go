package spantest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/opentracing/opentracing-go/mocktracer"
)

// span passes everything on to a mock span and records misuse as faults of its [Tracer].
type span struct {
	mock     *mocktracer.MockSpan
	tracer   *Tracer
	started  string // file:line
	finishes int    // guarded by tracer.mu
}

func (s *span) describe() string {
	s.mock.RLock()
	defer s.mock.RUnlock()
	return fmt.Sprintf("span %q, started at %s,", s.mock.OperationName, s.started)
}

// touch records a fault if the span is used after Finish. It is called before every change.
func (s *span) touch(what string) {
	s.tracer.mu.Lock()
	defer s.tracer.mu.Unlock()
	if s.finishes > 0 {
		fault := fmt.Sprintf("%s was touched after Finish: %s at %s", s.describe(), what, caller())
		s.tracer.faults = append(s.tracer.faults, fault)
	}
}

func (s *span) Finish() { s.FinishWithOptions(opentracing.FinishOptions{}) }

func (s *span) FinishWithOptions(opts opentracing.FinishOptions) {
	if opts.FinishTime.IsZero() {
		opts.FinishTime = time.Now()
	}
	t := s.tracer
	t.mu.Lock()
	s.finishes++
	if n := s.finishes; n > 1 {
		t.faults = append(t.faults, fmt.Sprintf("%s was finished %d times, again at %s", s.describe(), n, caller()))
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	s.mock.FinishWithOptions(opts)
	t.mu.Lock()
	t.open--
	close(t.closed)
	t.closed = make(chan struct{})
	t.mu.Unlock()
}

// OperationName returns the current name. Middlewares read it to see whether the application has set another one.
func (s *span) OperationName() string {
	s.mock.RLock()
	defer s.mock.RUnlock()
	return s.mock.OperationName
}

func (s *span) Context() opentracing.SpanContext { return s.mock.Context() }
func (s *span) Tracer() opentracing.Tracer       { return s.tracer }
func (s *span) BaggageItem(key string) string    { return s.mock.BaggageItem(key) }
func (s *span) LogEvent(event string)            { s.LogFields(log.String("event", event)) }
func (s *span) Log(data opentracing.LogData)     { s.LogFields(data.ToLogRecord().Fields...) }
func (s *span) LogEventWithPayload(e string, p any) {
	s.LogFields(log.String("event", e), log.Object("payload", p))
}

func (s *span) SetOperationName(name string) opentracing.Span {
	s.touch("SetOperationName")
	s.mock.SetOperationName(name)
	return s
}

func (s *span) SetTag(key string, value any) opentracing.Span {
	s.touch("SetTag " + key)
	s.mock.SetTag(key, value)
	return s
}

func (s *span) SetBaggageItem(key, value string) opentracing.Span {
	s.touch("SetBaggageItem " + key)
	s.mock.SetBaggageItem(key, value)
	return s
}

func (s *span) LogFields(fields ...log.Field) {
	s.touch("LogFields")
	s.mock.LogFields(fields...)
}

func (s *span) LogKV(keyValues ...any) {
	s.touch("LogKV")
	s.mock.LogKV(keyValues...)
}

// caller returns the place that called: the nearest one outside of this kit, of opentracing-go and of what lies between
// the kit and a program. If the program is not on the stack, as for the span of a server, it is the nearest one outside
// of this package.
func caller() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	nearest := "unknown"
	for {
		f, more := frames.Next()
		switch {
		case isProgram(f):
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		case nearest == "unknown" && !strings.HasPrefix(f.Function, module+"spantest.") && !isLibrary(f.Function):
			file := filepath.Join(filepath.Base(filepath.Dir(f.File)), filepath.Base(f.File))
			nearest = fmt.Sprintf("%s:%d", file, f.Line)
		}
		if !more {
			return nearest
		}
	}
}

const module = "github.com/spanloom/spanloom/"

func isProgram(f runtime.Frame) bool {
	if strings.HasPrefix(f.Function, module) {
		return strings.HasSuffix(f.File, "_test.go") || strings.HasPrefix(f.Function, module+"examples/")
	}
	ofGo := strings.HasPrefix(f.Function, "testing.") || strings.HasPrefix(f.Function, "runtime.")
	return !ofGo && !isLibrary(f.Function)
}

// isLibrary reports whether a function stands between the kit and the programs that use it.
func isLibrary(function string) bool {
	for _, prefix := range []string{
		"github.com/opentracing/opentracing-go", "net/http.", "net/http/", "google.golang.org/grpc",
	} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}
