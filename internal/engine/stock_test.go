package engine_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/testspans"
)

// The library reads the same from the headers that are selected as from all of them.
func TestChosenHeadersAreReadAsAllOfThem(t *testing.T) {
	const id = "4bf92f3577b34da6:00f067aa0ba902b7:0:1"
	custom := &jaeger.HeadersConfig{TraceContextHeaderName: "x-acme-trace", TraceBaggageHeaderPrefix: "x-acme-", JaegerDebugHeader: "x-debug"}
	for name, tt := range map[string]struct {
		names  *jaeger.HeadersConfig
		header http.Header
		none   bool
	}{
		"none":          {nil, http.Header{"Accept": {"*"}, "Uber-Trace": {"1"}, "Uberct": {"x"}}, true},
		"context":       {nil, http.Header{"Uber-Trace-Id": {id}, "Accept": {"*"}}, false},
		"lower case":    {nil, http.Header{"uber-trace-id": {id}, "uberctx-k": {"v"}}, false},
		"debug":         {nil, http.Header{"Jaeger-Debug-Id": {"me"}}, false},
		"baggage":       {nil, http.Header{"Jaeger-Baggage": {"k=v, k2=v2"}}, false},
		"all":           {nil, http.Header{"Uber-Trace-Id": {id}, "Jaeger-Debug-Id": {"d"}, "Jaeger-Baggage": {"a=b"}, "Uberctx-K": {"v"}}, false},
		"much baggage":  {nil, http.Header{"Uber-Trace-Id": {id}, "Uberctx-A": {"1"}, "Uberctx-B": {"2"}, "Uberctx-C": {"3"}, "Uberctx-D": {"4"}}, false},
		"malformed":     {nil, http.Header{"Uber-Trace-Id": {"x"}}, false},
		"custom":        {custom, http.Header{"X-Acme-Trace": {id}, "X-Acme-K": {"v"}}, false},
		"custom, debug": {custom, http.Header{"X-Debug": {"me"}, "Jaeger-Debug-Id": {"no"}}, false},
		"not custom":    {custom, http.Header{"Uber-Trace-Id": {id}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var opts []jaeger.TracerOption
			if tt.names != nil {
				opts = append(opts, jaeger.TracerOptions.CustomHeaderKeys(tt.names))
			}
			tracer := stock(t, opts...)
			headers := engine.StockHeadersOf(tracer)
			if headers == nil {
				t.Fatal("not recognised")
			}
			want, wantErr := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(tt.header))
			c := headers.Carrier(tt.header)
			if c == nil {
				if wantErr != opentracing.ErrSpanContextNotFound || !tt.none {
					t.Errorf("no carrier, but %v, %v", want, wantErr)
				}
				return
			}
			got, err := tracer.Extract(opentracing.HTTPHeaders, c)
			if tt.none || (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(describe(got), describe(want)) {
				t.Errorf("%v, %v, want %v, %v", got, err, want, wantErr)
			}
		})
	}
}

func describe(sc opentracing.SpanContext) map[string]string {
	all := map[string]string{"": sc.(jaeger.SpanContext).String()}
	sc.ForeachBaggageItem(func(k, v string) bool { all[k] = v; return true })
	return all
}

func stock(t *testing.T, opts ...jaeger.TracerOption) *jaeger.Tracer {
	t.Helper()
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), append(opts, testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer.(*jaeger.Tracer)
}

type extractor struct{ jaeger.Extractor }

// Other extractors may read any header.
func TestOtherExtractorsReadAnyHeader(t *testing.T) {
	own := jaeger.NewHTTPHeaderPropagator((&jaeger.HeadersConfig{}).ApplyDefaults(), *jaeger.NewNullMetrics())
	if got := engine.StockHeadersOf(stock(t, jaeger.TracerOptions.Extractor(opentracing.HTTPHeaders, extractor{own}))); got != nil {
		t.Errorf("%+v", got)
	}
	if got := engine.StockHeadersOf(stock(t, jaeger.TracerOptions.Extractor(opentracing.TextMap, extractor{own}))); got == nil {
		t.Error("the extractor of another format counts")
	}
}
