package carrier_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/zipkin"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// TestZipkinsPropagatorUnderstandsOurs exchanges X-B3-* and baggage-KEY with jaeger-client-go's own propagator for Zipkin, in HTTP headers
// and text maps. Values travel as they are; what would change on the way in a header is not sent, and counted.
func TestZipkinsPropagatorUnderstandsOurs(t *testing.T) {
	codec := zipkin.NewZipkinB3HTTPHeaderPropagator()
	stock, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true), jaeger.NewNullReporter(),
		jaeger.TracerOptions.Injector(opentracing.HTTPHeaders, codec), jaeger.TracerOptions.Extractor(opentracing.HTTPHeaders, codec),
		jaeger.TracerOptions.ZipkinSharedRPCSpan(true), testspans.Finished(t))
	defer closer.Close()
	b3 := []carrier.Format{carrier.B3Multi}
	ours, p := newTracer(t, carrier.Config{
		Extract: b3, Inject: b3, Baggage: carrier.Baggage{Styles: []carrier.BaggageStyle{carrier.PrefixBaggage}},
	})
	in := withBaggage(items{"user": "a+b/c== 100%"})
	for _, pair := range [][2]opentracing.Tracer{{ours, stock}, {stock, ours}} {
		h := opentracing.HTTPHeadersCarrier{}
		if err := pair[0].Inject(in, opentracing.HTTPHeaders, h); err != nil {
			t.Fatal(err)
		}
		out, err := pair[1].Extract(opentracing.HTTPHeaders, h)
		if err != nil {
			t.Fatalf("%v: %v", h, err)
		}
		if diff := cmp.Diff(baggageOf(in), baggageOf(out)); diff != "" || carrier.SpanID(out) != carrier.SpanID(in) {
			t.Errorf("%v: %s", h, diff)
		}
	}
	h := inject(t, p, withBaggage(items{"user": "line\nbreak", "blank": " x ", "umlaut": "ü", "fine": "1"}))
	if h.Get("Baggage-Fine") != "1" || h["Baggage-User"] != nil || h["Baggage-Blank"] != nil || h["Baggage-Umlaut"] != nil {
		t.Errorf("sent %v", h)
	}
	if got := p.Stats().BaggageUnsendable; got != 3 {
		t.Errorf("%d counted", got)
	}
}
