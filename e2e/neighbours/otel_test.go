package neighbours_test

import (
	"context"
	"slices"
	"testing"

	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/contrib/propagators/b3"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
	state   = "vendor=a1b2,other=x%3Dy"
)

var wires = map[string]wire{"HTTP": overHTTP{}, "gRPC": overGRPC{}, "gRPC streams": overStreams{}}

// chains of three, of parties that would record everything.
var chains = map[string]func(t *testing.T) []*hop{
	"theirs between ours": func(t *testing.T) []*hop {
		return []*hop{{party: weAlways(t)}, {party: theyAlways(t)}, {party: weAlways(t)}}
	},
	"ours between theirs": func(t *testing.T) []*hop {
		return []*hop{{party: theyAlways(t)}, {party: weAlways(t)}, {party: theyAlways(t)}}
	},
}

func weAlways(t *testing.T) party   { return newOurs(t, tracerinit.Always(), carrier.Config{}) }
func theyAlways(t *testing.T) party { return newTheirs(t, sdk.AlwaysSample()) }

func everywhere(t *testing.T, scenario func(t *testing.T, w wire, hops []*hop)) {
	for wireName, w := range wires {
		for chainName, chain := range chains {
			t.Run(chainName+" over "+wireName, func(t *testing.T) { scenario(t, w, chain(t)) })
		}
	}
}

func TestChainsThroughOpenTelemetryAreOneTrace(t *testing.T) {
	everywhere(t, func(t *testing.T, w wire, hops []*hop) {
		run(t, connect(t, w, nil, hops...))
		joined(t, "", hops...)
	})
}

// A caller further up, with a tracestate of its own.
func TestTracestateTravelsToTheEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, w wire, hops []*hop) {
		var last string
		end := &hop{party: theyAlways(t), work: func(ctx context.Context) context.Context {
			last = trace.SpanContextFromContext(ctx).TraceState().String()
			return ctx
		}}
		hops = append(hops, end)
		run(t, connect(t, w, map[string]string{"traceparent": "00-" + traceID + "-" + spanID + "-01", "tracestate": state}, hops...))
		if got := joined(t, spanID, hops...); got != traceID {
			t.Errorf("trace %s, want %s", got, traceID)
		}
		if last != state {
			t.Errorf("tracestate at the end is %q, want %q", last, state)
		}
	})
}

func TestBaggageTravelsToTheEnd(t *testing.T) {
	const value = "ü ; , = \" 100%"
	everywhere(t, func(t *testing.T, w wire, hops []*hop) {
		var seen []string
		for i, h := range hops {
			h.work = func(ctx context.Context) context.Context {
				if i == 0 {
					return h.setBaggage(ctx, "user", value)
				}
				seen = append(seen, h.baggage(ctx, "user"))
				return ctx
			}
		}
		run(t, connect(t, w, nil, hops...))
		if want := []string{value, value}; !slices.Equal(seen, want) {
			t.Errorf("baggage seen further down: %q, want %q", seen, want)
		}
	})
}

// Whoever comes first decides; nobody after it has another mind.
func TestTheFirstDecidesAboutSampling(t *testing.T) {
	deciders := map[string]struct {
		ours    tracerinit.Sampler
		theirs  sdk.Sampler
		sampled bool
	}{
		"first says yes, the others would say no": {tracerinit.Always(), sdk.AlwaysSample(), true},
		"first says no, the others would say yes": {tracerinit.Never(), sdk.NeverSample(), false},
	}
	for name, first := range deciders {
		t.Run(name, func(t *testing.T) {
			we := func(t *testing.T) party { return newOurs(t, tracerinit.Never(), carrier.Config{}) }
			they := func(t *testing.T) party { return newTheirs(t, sdk.NeverSample()) }
			if !first.sampled {
				we, they = weAlways, theyAlways
			}
			for wireName, w := range wires {
				t.Run("ours first over "+wireName, func(t *testing.T) {
					decides(t, w, first.sampled, newOurs(t, first.ours, carrier.Config{}), they(t), we(t), they(t))
				})
				t.Run("theirs first over "+wireName, func(t *testing.T) {
					decides(t, w, first.sampled, newTheirs(t, first.theirs), we(t), they(t), we(t))
				})
			}
		})
	}
}

func decides(t *testing.T, w wire, sampled bool, parties ...party) {
	t.Helper()
	var hops []*hop
	for _, p := range parties {
		hops = append(hops, &hop{party: p})
	}
	run(t, connect(t, w, nil, hops...))
	if sampled {
		joined(t, "", hops...)
		return
	}
	for i, h := range hops {
		if spans := h.recorded(); len(spans) != 0 {
			t.Errorf("hop %d recorded %+v", i, spans)
		}
	}
}

// Plain callers, of every format and decision.
func TestPlainCallersAreContinued(t *testing.T) {
	for name, c := range map[string]struct {
		header  map[string]string
		sampled bool
	}{
		"traceparent, sampled":      {map[string]string{"traceparent": "00-" + traceID + "-" + spanID + "-01"}, true},
		"traceparent, not sampled":  {map[string]string{"traceparent": "00-" + traceID + "-" + spanID + "-00"}, false},
		"uber-trace-id, sampled":    {map[string]string{"uber-trace-id": traceID + ":" + spanID + ":0:1"}, true},
		"uber-trace-id, not":        {map[string]string{"uber-trace-id": traceID + ":" + spanID + ":0:0"}, false},
		"uber-trace-id, escaped":    {map[string]string{"uber-trace-id": traceID + "%3A" + spanID + "%3A0%3A1"}, true},
		"b3 in one header, sampled": {map[string]string{"b3": traceID + "-" + spanID + "-1"}, true},
		"b3 in one header, debug":   {map[string]string{"b3": traceID + "-" + spanID + "-d"}, true},
		"b3 in one header, not":     {map[string]string{"b3": traceID + "-" + spanID + "-0"}, false},
		"b3 headers, sampled": {map[string]string{
			"x-b3-traceid": traceID, "x-b3-spanid": spanID, "x-b3-parentspanid": "0000000000000001", "x-b3-sampled": "1"}, true},
		"b3 headers, not": {map[string]string{"x-b3-traceid": traceID, "x-b3-spanid": spanID, "x-b3-sampled": "0"}, false},
	} {
		for wireName, w := range wires {
			t.Run(name+" over "+wireName, func(t *testing.T) {
				sampler := tracerinit.Always() // obeys a caller who says no
				if c.sampled {
					sampler = tracerinit.Never() // and one who says yes
				}
				first := &hop{party: newOurs(t, sampler, carrier.Config{})}
				second := &hop{party: theyAlways(t)}
				run(t, connect(t, w, c.header, first, second))
				if !c.sampled {
					if spans := append(first.recorded(), second.recorded()...); len(spans) != 0 {
						t.Errorf("recorded %+v", spans)
					}
					return
				}
				if got := joined(t, spanID, first, second); got != traceID {
					t.Errorf("trace %s, want %s", got, traceID)
				}
			})
		}
	}
}

// Neighbours that speak B3 alone, by OpenTelemetry's propagator for it.
func TestNeighboursThatSpeakB3AreInTheTrace(t *testing.T) {
	for name, c := range map[string]struct {
		theirs b3.Encoding
		ours   carrier.Format
	}{"one header": {b3.B3SingleHeader, carrier.B3}, "many headers": {b3.B3MultipleHeader, carrier.B3Multi}} {
		they := func(t *testing.T) party {
			return newTheirs(t, sdk.AlwaysSample(), b3.New(b3.WithInjectEncoding(c.theirs)))
		}
		we := func(t *testing.T) party {
			return newOurs(t, tracerinit.Always(), carrier.Config{Inject: []carrier.Format{c.ours}})
		}
		for wireName, w := range wires {
			t.Run("theirs between ours, "+name+" over "+wireName, func(t *testing.T) { traces(t, w, we(t), they(t), we(t)) })
			t.Run("ours between theirs, "+name+" over "+wireName, func(t *testing.T) { traces(t, w, they(t), we(t), they(t)) })
		}
	}
}

// Neighbours with jaeger-client-go as it comes.
func TestNeighboursOfJaegersClientAreInTheTrace(t *testing.T) {
	stock := func(t *testing.T) party { return newStock(t, jaeger.NewConstSampler(true)) }
	t.Run("theirs between ours", func(t *testing.T) { traces(t, overHTTP{}, weAlways(t), stock(t), weAlways(t)) })
	t.Run("ours between theirs", func(t *testing.T) { traces(t, overHTTP{}, stock(t), weAlways(t), stock(t)) })
	t.Run("not sampled, theirs first", func(t *testing.T) {
		decides(t, overHTTP{}, false, newStock(t, jaeger.NewConstSampler(false)), weAlways(t), stock(t))
	})
	t.Run("not sampled, ours first", func(t *testing.T) {
		decides(t, overHTTP{}, false, newOurs(t, tracerinit.Never(), carrier.Config{}), stock(t), weAlways(t))
	})
	t.Run("baggage", func(t *testing.T) {
		var seen []string
		hops := []*hop{{party: stock(t)}, {party: weAlways(t)}, {party: stock(t)}, {party: weAlways(t)}, {party: theyAlways(t)}}
		for i, h := range hops {
			h.work = func(ctx context.Context) context.Context {
				if i == 0 {
					return h.setBaggage(ctx, "user", "ü 100%")
				}
				seen = append(seen, h.baggage(ctx, "user"))
				return ctx
			}
		}
		run(t, connect(t, overHTTP{}, nil, hops...))
		if want := slices.Repeat([]string{"ü 100%"}, 4); !slices.Equal(seen, want) {
			t.Errorf("baggage seen further down: %q", seen)
		}
	})
}

func traces(t *testing.T, w wire, parties ...party) {
	t.Helper()
	decides(t, w, true, parties...)
}
