package spantest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/spantest"
)

// recorder is a testing.TB that keeps errors, and runs its cleanups when end is called.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(f func())  { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }

func (r *recorder) end() []string {
	for _, f := range r.cleanups {
		f()
	}
	return r.errors
}

func TestFaultsFailTheTest(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(opentracing.Tracer)
		want string // "" for no fault
	}{
		{"finished once", func(tr opentracing.Tracer) { tr.StartSpan("a").Finish() }, ""},
		{"never finished", func(tr opentracing.Tracer) { tr.StartSpan("a") }, "never finished"},
		{"finished twice", func(tr opentracing.Tracer) { s := tr.StartSpan("a"); s.Finish(); s.Finish() }, "finished 2 times"},
		{"tag after finish", func(tr opentracing.Tracer) { s := tr.StartSpan("a"); s.Finish(); s.SetTag("k", 1) }, "SetTag k"},
		{"log after finish", func(tr opentracing.Tracer) { s := tr.StartSpan("a"); s.Finish(); s.LogKV("k", 1) }, "LogKV"},
		{"name after finish", func(tr opentracing.Tracer) { s := tr.StartSpan("a"); s.Finish(); s.SetOperationName("b") }, "SetOperationName"},
		{"baggage after finish", func(tr opentracing.Tracer) { s := tr.StartSpan("a"); s.Finish(); s.SetBaggageItem("k", "v") }, "SetBaggageItem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tb := &recorder{TB: t}
			tt.do(spantest.New(tb))
			got := strings.Join(tb.end(), "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Fatalf("faults %q, want one with %q", got, tt.want)
			}
			if tt.want != "" && !strings.Contains(got, "tracer_test.go:") {
				t.Errorf("fault %q does not name the place", got)
			}
		})
	}
}

func TestSpansThatEndElsewhereAreWaitedFor(t *testing.T) {
	tracer := spantest.New(t)
	s := tracer.StartSpan("slow")
	started := make(chan struct{})
	go func() {
		close(started)
		s.Finish()
	}()
	<-started
	if got := len(tracer.Finished()); got != 1 {
		t.Fatalf("%d finished spans, want 1", got)
	}
}

func TestParentsTagsAndForeignReferences(t *testing.T) {
	tracer := spantest.New(t)
	tags := opentracing.Tags{"shared": true}
	parent := tracer.StartSpan("parent", tags)
	child := tracer.StartSpan("child", opentracing.ChildOf(parent.Context()), ext.SpanKindRPCServer)
	stranger := tracer.StartSpan("stranger", opentracing.ChildOf(opentracing.NoopTracer{}.StartSpan("x").Context()))
	parent.SetTag("later", 1)
	for _, s := range []opentracing.Span{stranger, child, parent} {
		s.Finish()
	}
	got := tracer.Finished()
	if got[0].ParentID != 0 || got[1].ParentID != got[2].SpanContext.SpanID {
		t.Errorf("parents %d and %d, want 0 and %d", got[0].ParentID, got[1].ParentID, got[2].SpanContext.SpanID)
	}
	if got[1].Tag("span.kind") != ext.SpanKindRPCServerEnum || got[2].Tag("shared") != true {
		t.Errorf("start tags lost: %v, %v", got[1].Tags(), got[2].Tags())
	}
	if len(tags) != 1 {
		t.Errorf("the caller's tags were written to: %v", tags)
	}
}

func Example() {
	t := &recorder{} // a test's *testing.T
	tracer := spantest.New(t)

	span := tracer.StartSpan("done")
	span.Finish()

	for _, s := range tracer.Finished() {
		fmt.Println(s.OperationName)
	}
	// Output: done
}
