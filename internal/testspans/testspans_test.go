package testspans_test

import (
	"fmt"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/internal/testspans"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a test that keeps its errors and cleans up when end is called.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestOpenSpansFailTheTest(t *testing.T) {
	for name, sampler := range map[string]jaeger.Sampler{
		"sampled": jaeger.NewConstSampler(true), "not sampled": jaeger.NewConstSampler(false),
	} {
		t.Run(name, func(t *testing.T) {
			for open := range 3 {
				r := &recorder{TB: t}
				tracer, closer := jaeger.NewTracer("x", sampler, jaeger.NewNullReporter(), testspans.Finished(r))
				defer closer.Close()
				root := tracer.StartSpan("root")
				tracer.StartSpan("child", opentracing.ChildOf(root.Context())).Finish()
				root.Finish()
				for range open {
					tracer.StartSpan("open")
				}
				r.end()
				want := 1
				if open == 0 {
					want = 0
				}
				if len(r.errors) != want || want == 1 && r.errors[0] != fmt.Sprint(open, " spans were never finished") {
					t.Errorf("%d open: %q", open, r.errors)
				}
			}
		})
	}
}
