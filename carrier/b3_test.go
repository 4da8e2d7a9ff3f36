package carrier_test

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// TestEitherNameReadsBothEncodings is true of lists in code as of those in the environment.
func TestEitherNameReadsBothEncodings(t *testing.T) {
	for _, list := range [][]carrier.Format{{carrier.B3}, {carrier.B3Multi}, {carrier.W3C, carrier.B3}, {carrier.B3Multi, carrier.Jaeger}} {
		t.Run(fmt.Sprint(list), func(t *testing.T) {
			p := newPropagator(t, carrier.Config{Extract: list, Inject: list})
			for _, in := range []http.Header{headers("b3", someB3), headers("x-b3-traceid", someTrace, "x-b3-spanid", someSpan, "x-b3-sampled", "1")} {
				sc := extract(t, p, in)
				if carrier.TraceID(sc) != someTrace || !sc.IsSampled() {
					t.Errorf("%v from %v: %v", list, in, sc)
				}
				out := inject(t, p, sc)
				single, multi := out["B3"] != nil, out["X-B3-Traceid"] != nil
				if wantMulti := list[0] == carrier.B3Multi; multi != wantMulti || single == wantMulti {
					t.Errorf("%v: sent %v", list, out)
				}
			}
		})
	}
}

// TestB3IsAnsweredInB3 sends the caller's encoding beside the configured formats, to whatever a request calls.
func TestB3IsAnsweredInB3(t *testing.T) {
	multi := []string{"x-b3-traceid", someTrace, "x-b3-spanid", someSpan, "x-b3-sampled", "1"}
	for _, c := range []struct {
		name   string
		config carrier.Config
		in     []string
		want   string // the encoding: "", "b3" or "multi"
	}{
		{"single", carrier.Config{}, []string{"b3", someB3}, "b3"},
		{"multi", carrier.Config{}, multi, "multi"},
		{"both", carrier.Config{}, append([]string{"b3", someB3}, multi...), "b3"},
		{"single, not sampled", carrier.Config{}, []string{"b3", someTrace + "-" + someSpan + "-0"}, "b3"},
		{"only a decision", carrier.Config{}, []string{"b3", "0"}, "b3"},
		{"only a decision, multi", carrier.Config{}, []string{"x-b3-sampled", "0"}, "multi"},
		{"after W3C", carrier.Config{}, append([]string{"traceparent", someTraceparent}, multi...), ""},
		{"after Jaeger", carrier.Config{}, []string{"uber-trace-id", someUberTraceID, "b3", someB3}, ""},
		{"after a malformed one", carrier.Config{}, []string{"traceparent", "00-x", "b3", someB3}, "b3"},
		{"explicit", carrier.Config{Inject: []carrier.Format{carrier.W3C, carrier.Jaeger}}, []string{"b3", someB3}, ""},
		{"before W3C", carrier.Config{Extract: []carrier.Format{carrier.B3, carrier.W3C}}, []string{"b3", someB3, "traceparent", someTraceparent}, "b3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, p := newTracer(t, c.config)
			in := headers(c.in...)
			remote := extract(t, p, in)
			span := testspans.Start(t, tracer, "server", opentracing.ChildOf(remote))
			sc := testspans.Start(t, tracer, "client", opentracing.ChildOf(span.Context())).Context().(jaeger.SpanContext)
			// A proxy copies the headers; a new request has none.
			for i, out := range []http.Header{{}, in.Clone()} {
				if err := p.Inject(sc, out); err != nil {
					t.Fatal(err)
				}
				got := ""
				switch {
				case out.Get("B3") != "" && out.Get("X-B3-Traceid") == "":
					got = "b3"
				case out.Get("X-B3-Traceid") != "" && out.Get("B3") == "":
					got = "multi"
				}
				want := c.want
				if want == "" && i == 1 { // what the proxy copied belongs to the same trace
					want = map[bool]string{true: "b3", false: "multi"}[in.Get("B3") != ""]
				}
				if got != want {
					t.Errorf("sent %v", out)
				}
				if out.Get("Traceparent") == "" || out.Get("Uber-Trace-Id") == "" {
					t.Errorf("the configured formats are missing: %v", out)
				}
			}
		})
	}
}

// TestForwardedB3IsLeftAlone keeps X-B3-* that the application forwards by hand, if they belong to the same trace and
// the kit writes no B3. Those of another trace are stale.
func TestForwardedB3IsLeftAlone(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	sc := extract(t, p, headers("traceparent", someTraceparent))
	same := http.Header{"X-B3-Traceid": {someTrace}, "X-B3-Spanid": {"00000000000000aa"}, "X-B3-Sampled": {"1"}, "B3": {someTrace + "-00000000000000aa-1"}}
	other := http.Header{"X-B3-Traceid": {"1"}, "X-B3-Spanid": {"2"}, "X-B3-Sampled": {"1"}, "B3": {"1-2-1"}}
	for name, c := range map[string]struct{ in, want http.Header }{
		"the same trace": {same, same}, "another trace": {other, http.Header{}},
		"one of each": {
			http.Header{"X-B3-Traceid": {"1"}, "X-B3-Spanid": {"2"}, "B3": {someTrace + "-00000000000000aa-1"}},
			http.Header{"B3": {someTrace + "-00000000000000aa-1"}},
		},
		"a decision alone": {http.Header{"X-B3-Sampled": {"1"}}, http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.in.Clone()
			if err := p.Inject(sc, h); err != nil {
				t.Fatal(err)
			}
			delete(h, "Traceparent")
			delete(h, "Uber-Trace-Id")
			if diff := gocmp.Diff(c.want, h); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		})
	}
}

// TestB3DenialWithoutIDs has callers that only deny sampling. What goes out has the decision, and the ids of spans that
// exist: the caller has no span, so the first span here has no parent.
// unsampledHeaders are those that a span below an unsampled caller is sent with, whose parent may be none.
func unsampledHeaders(sc jaeger.SpanContext, parent string, multi bool) http.Header {
	trace, span := carrier.TraceID(sc), carrier.SpanID(sc)
	h := http.Header{
		"Traceparent":   {"00-" + trace + "-" + span + "-00"},
		"Uber-Trace-Id": {trace + ":" + span + ":" + cmp.Or(parent, "0000000000000000") + ":0"},
	}
	switch {
	case multi:
		h["X-B3-Traceid"], h["X-B3-Spanid"], h["X-B3-Sampled"] = []string{trace}, []string{span}, []string{"0"}
		if parent != "" {
			h["X-B3-Parentspanid"] = []string{parent}
		}
	case parent == "":
		h["B3"] = []string{trace + "-" + span + "-0"}
	default:
		h["B3"] = []string{trace + "-" + span + "-0-" + parent}
	}
	return h
}

func TestB3DenialWithoutIDs(t *testing.T) {
	for name, in := range map[string][]string{
		"single": {"b3", "0"}, "multi": {"x-b3-sampled", "0"}, "multi in words": {"x-b3-sampled", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, p := newTracer(t, carrier.Config{})
			multi := in[0] != "b3"
			caller, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers(in...)))
			if err != nil {
				t.Fatal(err)
			}
			remote := caller.(jaeger.SpanContext)
			server := testspans.Start(t, tracer, "server", opentracing.ChildOf(remote)).Context().(jaeger.SpanContext)
			client := testspans.Start(t, tracer, "client", opentracing.ChildOf(server)).Context().(jaeger.SpanContext)
			for _, c := range []struct {
				what   string
				sc     jaeger.SpanContext
				parent string
			}{{"the first span", server, ""}, {"a span below", client, carrier.SpanID(server)}} {
				t.Run(c.what, func(t *testing.T) {
					want := unsampledHeaders(c.sc, c.parent, multi)
					if diff := gocmp.Diff(want, inject(t, p, c.sc)); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
				})
			}
			want := http.Header{"B3": {"0"}}
			if multi {
				want = http.Header{"X-B3-Sampled": {"0"}}
			}
			copied, err := p.Extract(carrier.Copy{Context: remote})
			if err != nil {
				t.Fatal(err)
			}
			for i, sc := range []jaeger.SpanContext{remote, copied} {
				if diff := gocmp.Diff(want, inject(t, p, sc)); diff != "" {
					t.Errorf("passed on without a span, %d: -want +got:\n%s", i, diff)
				}
			}
		})
	}
}

// TestB3DenialInOtherFormats keeps the decision where no B3 is written, which takes ids.
func TestB3DenialInOtherFormats(t *testing.T) {
	p := newPropagator(t, carrier.Config{Inject: []carrier.Format{carrier.W3C}})
	remote := extract(t, p, headers("b3", "0"))
	want := http.Header{"Traceparent": {"00-" + carrier.TraceID(remote) + "-" + carrier.SpanID(remote) + "-00"}}
	if diff := gocmp.Diff(want, inject(t, p, remote)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
