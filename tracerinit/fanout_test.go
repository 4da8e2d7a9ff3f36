package tracerinit_test

import (
	"runtime"
	"testing"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// ending is a reporter of a test's, which calls FailNow.
type ending struct{}

func (ending) Report(*jaeger.Span) { runtime.Goexit() }
func (ending) Close()              {}

func TestAReporterThatEndsItsGoroutineTakesSpansFromNobody(t *testing.T) {
	b := newBackend(t, nil)
	before, after := jaeger.NewInMemoryReporter(), jaeger.NewInMemoryReporter()
	tracer := start(t, tracerinit.Config{
		Reporters: []jaeger.Reporter{before, ending{}, ending{}, after}, Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(b.URL)},
	})
	for range 3 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tracer.StartSpan("x").Finish()
		}()
		<-ended
	}
	if before.SpansSubmitted() != 3 || after.SpansSubmitted() != 3 {
		t.Errorf("%d and %d spans reported, want 3", before.SpansSubmitted(), after.SpansSubmitted())
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}
	s := tracer.Stats()
	if s.Reported != 3 || s.Exporters[0].Delivered != 3 || s.Reporters[1].Panicked != 3 || s.Reporters[3].Delivered != 3 {
		t.Errorf("%+v", s)
	}
}
