package carrier_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// The layout is that of a stock jaeger-client-go, in both directions.
func TestBinaryWithStockClient(t *testing.T) {
	ours, _ := newTracer(t, carrier.Config{})
	stock, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	want := items{"userId": "a b\x00é", "empty": ""}
	in := jaeger.NewSpanContext(jaeger.TraceID{High: 1, Low: 2}, 3, 4, true, want)
	for _, pair := range [][2]opentracing.Tracer{{ours, ours}, {ours, stock}, {stock, ours}} {
		var b bytes.Buffer
		for range 2 { // one after the other in one stream
			if err := pair[0].Inject(in, opentracing.Binary, &b); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			out, err := pair[1].Extract(opentracing.Binary, &b)
			if err != nil {
				t.Fatal(err)
			}
			if got := out.(jaeger.SpanContext).String(); got != in.String() {
				t.Errorf("%s, want %s", got, in)
			}
			if diff := cmp.Diff(want, baggageOf(out)); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestPoliciesHoldForBinaryCarriers(t *testing.T) {
	debug, err := jaeger.ContextFromString("1:2:3:11")
	if err != nil {
		t.Fatal(err)
	}
	debug = debug.WithBaggageItem("no", "1").WithBaggageItem("user id", "2").WithBaggageItem("yes", "3")
	stock, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	for policy, want := range map[carrier.DebugPolicy]byte{{}: 9, carrier.AllowDebug(): 11} {
		t.Run(fmt.Sprintf("policy of flags %d", want), func(t *testing.T) {
			ours, _ := newTracer(t, carrier.Config{Debug: policy, Baggage: carrier.Baggage{AllowIn: func(k string) bool { return k != "no" }}})
			var b bytes.Buffer
			if err := stock.Inject(debug, opentracing.Binary, &b); err != nil {
				t.Fatal(err)
			}
			out, err := ours.Extract(opentracing.Binary, &b)
			if err != nil {
				t.Fatal(err)
			}
			if got := out.(jaeger.SpanContext).Flags(); got != want {
				t.Errorf("debug %v: flags %d, want %d", policy, got, want)
			}
			if diff := cmp.Diff(items{"yes": "3"}, baggageOf(out)); diff != "" {
				t.Errorf("debug %v: %s", policy, diff)
			}
		})
	}
}

func TestBinaryWithoutIDs(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	var b bytes.Buffer
	if err := tracer.Inject(extract(t, p, headers("baggage", "a=1")), opentracing.Binary, &b); err != nil {
		t.Fatal(err)
	}
	out, err := tracer.Extract(opentracing.Binary, &b)
	if err != nil || len(baggageOf(out)) != 1 || carrier.TraceID(out) != "" {
		t.Errorf("%v, %v", out, err)
	}
}

// An item that a stock client would refuse, together with all the rest, is not sent.
func TestBinaryItemTooLong(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	stock := jaeger.NewBinaryPropagator(nil)
	var b bytes.Buffer
	sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 2}, 3, 4, true, items{"a": "1", "b": strings.Repeat("x", 4096)})
	if err := tracer.Inject(sc, opentracing.Binary, &b); err != nil {
		t.Fatal(err)
	}
	out, err := stock.Extract(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(items{"a": "1"}, baggageOf(out)); diff != "" || p.Stats().BaggageOverLimit != 1 {
		t.Errorf("%s, %+v", diff, p.Stats())
	}
}

func TestBinaryWriteError(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	full := errors.New("full")
	if err := tracer.Inject(testspans.Start(t, tracer, "x").Context(), opentracing.Binary, writer(func([]byte) (int, error) { return 0, full })); err != full {
		t.Errorf("got %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
