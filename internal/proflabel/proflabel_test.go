package proflabel

import (
	"context"
	"runtime/pprof"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/testspans"
)

// all returns the labels of a context.
func all(ctx context.Context) map[string]string {
	labels := map[string]string{}
	pprof.ForLabels(ctx, func(key, value string) bool {
		labels[key] = value
		return true
	})
	return labels
}

// onGoroutine returns the labels of the running goroutine.
func onGoroutine() map[string]string { return all(inherit(context.Background())) }

func start(t *testing.T, tracer opentracing.Tracer) *rpcspan.Span {
	s := new(rpcspan.Span)
	s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: rpcspan.NewStartTags("server")}, &rpcspan.Parent{})
	t.Cleanup(func() { s.Finish(s.StartTime(), nil, nil) })
	return s
}

func TestLabelsAreAddedAndRestored(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(false), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	span := start(t, tracer)
	sc := span.OpenTracingSpan().Context()
	ids := map[string]string{"span_name": "op", "trace_id": carrier.TraceID(sc), "span_id": carrier.SpanID(sc)}
	outer := start(t, tracer)
	for name, tt := range map[string]struct {
		onGoroutine, inContext []string
		want                   map[string]string // besides ids
	}{
		"none":                       {nil, nil, nil},
		"the goroutine's":            {[]string{"service", "shop"}, nil, map[string]string{"service": "shop"}},
		"the context's":              {nil, []string{"tenant", "acme"}, map[string]string{"tenant": "acme"}},
		"both":                       {[]string{"service", "shop"}, []string{"tenant", "acme"}, map[string]string{"service": "shop", "tenant": "acme"}},
		"the same key":               {[]string{"tenant", "old"}, []string{"tenant", "new"}, map[string]string{"tenant": "new"}},
		"the same labels in both":    {[]string{"tenant", "acme"}, []string{"tenant", "acme"}, map[string]string{"tenant": "acme"}},
		"a span's":                   {[]string{"span_name", "outer", "trace_id", "1", "span_id", "2"}, nil, nil},
		"a span's, and more of them": {[]string{"span_name", "outer", "a", "1", "z", "2"}, []string{"trace_id", "3"}, map[string]string{"a": "1", "z": "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			defer Get().Restore()
			pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(tt.onGoroutine...)))
			before := onGoroutine()
			want := map[string]string{}
			for _, labels := range []map[string]string{tt.want, ids} {
				for k, v := range labels {
					want[k] = v
				}
			}
			ctx := t.Context()
			if tt.inContext != nil {
				ctx = pprof.WithLabels(ctx, pprof.Labels(tt.inContext...))
			}
			func() {
				defer Get().Restore()
				ctx = Set(ctx, span, "op")
				if diff := cmp.Diff(want, all(ctx)); diff != "" {
					t.Errorf("in the context, -want +got:\n%s", diff)
				}
				if diff := cmp.Diff(want, onGoroutine()); diff != "" {
					t.Errorf("on the goroutine, -want +got:\n%s", diff)
				}
				func() {
					defer Get().Restore()
					Set(context.Background(), outer, "inner")
				}()
				if diff := cmp.Diff(want, onGoroutine()); diff != "" {
					t.Errorf("on the goroutine after another span, -want +got:\n%s", diff)
				}
			}()
			if diff := cmp.Diff(before, onGoroutine()); diff != "" {
				t.Errorf("afterwards, -want +got:\n%s", diff)
			}
		})
	}
}

func TestSpansWithoutIDsHaveTheirName(t *testing.T) {
	defer Get().Restore()
	ctx := Set(t.Context(), start(t, opentracing.NoopTracer{}), "op")
	if diff := cmp.Diff(map[string]string{"span_name": "op"}, all(ctx)); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutASpanNothingIsSet(t *testing.T) {
	if ctx := Set(t.Context(), new(rpcspan.Span), "op"); ctx != t.Context() || len(onGoroutine()) > 0 {
		t.Errorf("labels %v and %v", all(ctx), onGoroutine())
	}
}

func TestPprofKeepsItsLabelsAsInheritNeedsIt(t *testing.T) {
	if !layoutMatches() {
		t.Errorf("key %v, type %v", contextKey, contextType)
	}
}
