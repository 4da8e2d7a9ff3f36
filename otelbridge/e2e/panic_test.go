package e2e

import (
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// panicIn ends a span by a panic, which goes on.
func panicIn(t *testing.T, tr tracing, name string, value any, opts ...trace.SpanEndOption) {
	t.Helper()
	defer func() {
		if got := recover(); got != value {
			t.Errorf("recovered %v, want %v", got, value)
		}
	}()
	_, span := tr.Tracer("lib").Start(t.Context(), name)
	defer span.End(opts...)
	panic(value)
}

func TestPanicsAreThoseOfTheSDK(t *testing.T) {
	compareWithSDK(t, func(t *testing.T, tr tracing) {
		panicIn(t, tr, "text", "boom")
		panicIn(t, tr, "error", errors.New("boom"))
		panicIn(t, tr, "type", custom{7})
		panicIn(t, tr, "number", 7)
		panicIn(t, tr, "with a stack", "boom", trace.WithStackTrace(true))
	})
}

// TestStacksAreRecorded has the stack of the goroutine that records an error, or panics, as far as there is room.
func TestStacksAreRecorded(t *testing.T) {
	c := newCollector(t)
	tr, flush := c.tracingOfBridge(t)
	_, span := tr.Tracer("lib").Start(t.Context(), "error")
	span.RecordError(errors.New("boom"), trace.WithStackTrace(true), trace.WithAttributes(attribute.Int("n", 1)))
	span.End()
	panicIn(t, tr, "panic", "boom", trace.WithStackTrace(true))
	flush()
	for _, s := range c.all() {
		if len(s.Events) != 1 {
			t.Fatalf("%s has %d events", s.Name, len(s.Events))
		}
		e, stack := s.Events[0], ""
		for _, kv := range e.Attributes {
			if kv.Key == "exception.stacktrace" {
				stack = kv.Value.GetStringValue()
			}
		}
		if !strings.HasPrefix(stack, "goroutine ") || !strings.Contains(stack, "panic_test.go") {
			t.Errorf("the stack of %s is %q", s.Name, stack)
		}
		if e.TimeUnixNano < s.StartTimeUnixNano || e.TimeUnixNano > s.EndTimeUnixNano {
			t.Errorf("the event is at %d, outside of %d to %d", e.TimeUnixNano, s.StartTimeUnixNano, s.EndTimeUnixNano)
		}
	}
}
