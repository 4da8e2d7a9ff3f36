package otelbridge_test

import (
	"testing"

	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// bridged is a bridge around a tracer of tracerinit, and the spans it has reported.
type bridged struct {
	*otelbridge.Bridge
	below  *tracerinit.Tracer
	memory *jaeger.InMemoryReporter
}

func noEnv(string) (string, bool) { return "", false }

// newTracer returns a tracer that ends with the test, which fails if spans of it are still open then.
func newTracer(t testing.TB, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	tracer := newTracerThatSpansOutlive(t, cfg)
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
	})
	return tracer
}

// newTracerThatSpansOutlive is newTracer for tests that leave spans open.
func newTracerThatSpansOutlive(t testing.TB, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Service, cfg.Local, cfg.LookupEnv = "shop", true, noEnv
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close() })
	return tracer
}

func newBridge(t testing.TB, opts ...otelbridge.Option) *bridged {
	t.Helper()
	return newBridgeOf(t, tracerinit.Config{}, opts...)
}

func newBridgeOf(t testing.TB, cfg tracerinit.Config, opts ...otelbridge.Option) *bridged {
	t.Helper()
	memory := jaeger.NewInMemoryReporter()
	cfg.Reporters = []jaeger.Reporter{memory}
	below := newTracer(t, cfg)
	return &bridged{otelbridge.New(below, opts...), below, memory}
}

func (b *bridged) tracer() trace.Tracer { return b.TracerProvider().Tracer("lib") }

// spans returns the reported spans by name.
func (b *bridged) spans(t testing.TB) map[string]*jaeger.Span {
	t.Helper()
	m := map[string]*jaeger.Span{}
	for _, s := range b.memory.GetSpans() {
		j := s.(*jaeger.Span)
		if m[j.OperationName()] != nil {
			t.Errorf("span %q was reported twice", j.OperationName())
		}
		m[j.OperationName()] = j
	}
	return m
}

// wantChild checks that one reported span is the child of another.
func (b *bridged) wantChild(t testing.TB, child, parent string) {
	t.Helper()
	m := b.spans(t)
	c, p := m[child], m[parent]
	if c == nil || p == nil {
		t.Fatalf("no span %q or %q in %v", child, parent, m)
	}
	if cc, pc := c.SpanContext(), p.SpanContext(); cc.TraceID() != pc.TraceID() || cc.ParentID() != pc.SpanID() {
		t.Errorf("%s %v is not a child of %s %v", child, cc, parent, pc)
	}
}

// wantRoot checks that a reported span has no parent.
func (b *bridged) wantRoot(t testing.TB, name string) {
	t.Helper()
	s := b.spans(t)[name]
	if s == nil || s.SpanContext().ParentID() != 0 {
		t.Errorf("%q is not a root span: %v", name, s)
	}
}
