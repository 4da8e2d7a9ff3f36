package carrier_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

var acmeHeaders = jaeger.HeadersConfig{
	JaegerDebugHeader: "x-acme-debug", JaegerBaggageHeader: "x-acme-baggage",
	TraceContextHeaderName: "x-acme-trace", TraceBaggageHeaderPrefix: "x-acme-item-",
}

// TestJaegerHeaderNames exchanges contexts with a stock jaeger-client-go that has the same HeadersConfig.
func TestJaegerHeaderNames(t *testing.T) {
	jaegerOnly := []carrier.Format{carrier.Jaeger}
	ours, p := newTracer(t, carrier.Config{Extract: jaegerOnly, Inject: jaegerOnly, Jaeger: acmeHeaders, Debug: carrier.AllowDebug()})
	names := acmeHeaders
	propagator := jaeger.NewHTTPHeaderPropagator(names.ApplyDefaults(), *jaeger.NewNullMetrics())
	stock, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true), jaeger.NewNullReporter(),
		jaeger.TracerOptions.Injector(opentracing.HTTPHeaders, propagator), jaeger.TracerOptions.Extractor(opentracing.HTTPHeaders, propagator), testspans.Finished(t))
	defer closer.Close()
	in := withBaggage(items{"user": "a b"})
	for _, pair := range [][2]opentracing.Tracer{{ours, stock}, {stock, ours}} {
		h := http.Header{}
		if err := pair[0].Inject(in, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)); err != nil {
			t.Fatal(err)
		}
		if h.Get("X-Acme-Trace") == "" || h.Get("X-Acme-Item-User") == "" || len(h) != 2 {
			t.Errorf("sent %v", h)
		}
		out, err := pair[1].Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(baggageOf(in), baggageOf(out)); diff != "" || out.(jaeger.SpanContext).String() != in.String() {
			t.Errorf("%v %s", out, diff)
		}
	}
	sc := extract(t, p, headers("x-acme-debug", "why", "x-acme-baggage", "a=1", "uber-trace-id", someUberTraceID))
	if baggageOf(sc)["a"] != "1" || sc.IsValid() {
		t.Errorf("%v %v", sc, baggageOf(sc))
	}
	h := headers("x-acme-debug", "stale", "uber-trace-id", "no header of this propagator")
	if err := p.Inject(in, h); err != nil || h.Get("X-Acme-Debug") != "" || h.Get("Uber-Trace-Id") == "" {
		t.Errorf("%v %v", h, err)
	}
	if got := p.SpanHeaders(); !cmp.Equal(got, []string{"X-Acme-Trace"}) {
		t.Errorf("span headers %q", got)
	}
}

func TestNewRefusesNames(t *testing.T) {
	for want, c := range map[string]carrier.Config{
		`"a b" is no name`:                        {Jaeger: jaeger.HeadersConfig{TraceContextHeaderName: "a b"}},
		"the header traceparent has two meanings": {Jaeger: jaeger.HeadersConfig{TraceContextHeaderName: "Traceparent"}},
		"the header uberctx- has two meanings":    {Baggage: carrier.Baggage{Prefix: "uberctx-"}},
		"is no name of 2 to 62":                   {Baggage: carrier.Baggage{Prefix: strings.Repeat("x", 63)}},
	} {
		t.Run(want, func(t *testing.T) {
			if _, err := carrier.New(c); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func TestTheHeadersOfASpanAreNamed(t *testing.T) {
	var none *carrier.Propagator
	if got := none.SpanHeaders(); len(got) != 4 {
		t.Errorf("without a Propagator: %q", got)
	}
	for _, c := range []struct {
		config carrier.Config
		want   []string
	}{
		{carrier.Config{}, []string{"Traceparent", "Uber-Trace-Id", "B3", "X-B3-Spanid"}},
		{carrier.Config{Inject: []carrier.Format{carrier.B3Multi}}, []string{"X-B3-Spanid"}},
	} {
		t.Run(fmt.Sprint(c.config), func(t *testing.T) {
			if got := newPropagator(t, c.config).SpanHeaders(); !cmp.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
