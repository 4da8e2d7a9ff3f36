package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
)

// TestSpansInFront serves requests below a span that is active already, as that of another server middleware in front
// is, which has read the same headers.
func TestSpansInFront(t *testing.T) {
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	tracer, reporter := newJaeger(t, jaeger.NewConstSampler(true))
	caller, err := tracer.Extract(opentracing.TextMap, opentracing.TextMapCarrier{"traceparent": traceparent})
	if err != nil {
		t.Fatal(err)
	}
	front := testspans.Start(t, tracer, "front", opentracing.ChildOf(caller))
	elsewhere := testspans.Start(t, tracer, "main")
	for name, tt := range map[string]struct {
		header string
		front  opentracing.Span
		want   string // parent
	}{
		"in the caller's trace":              {traceparent, front, carrier.SpanID(front.Context())},
		"without a caller":                   {"", elsewhere, carrier.SpanID(elsewhere.Context())},
		"in another trace than the caller's": {traceparent, elsewhere, traceparent[36:52]},
	} {
		for _, traced := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", traced", false: ", filtered"}[traced], func(t *testing.T) {
				reporter.Reset()
				h := httpmw.Middleware(tracer, httpmw.WithFilter(func(*http.Request) bool { return traced }))(
					http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						if !traced {
							child, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
							child.Finish()
						}
					}))
				r := httptest.NewRequest("GET", "/", nil)
				if tt.header != "" {
					r.Header.Set("traceparent", tt.header)
				}
				h.ServeHTTP(httptest.NewRecorder(), r.WithContext(opentracing.ContextWithSpan(t.Context(), tt.front)))
				spans := reporter.GetSpans()
				if len(spans) != 1 {
					t.Fatalf("%d spans", len(spans))
				}
				if got := spans[0].(*jaeger.Span).SpanContext().ParentID().String(); got != tt.want {
					t.Errorf("the parent is %s, want %s", got, tt.want)
				}
			})
		}
	}
}
