package carrier_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// TestEitherNameReadsBothEncodings is true of lists in code as of those in the environment.
func TestEitherNameReadsBothEncodings(t *testing.T) {
	for _, list := range [][]carrier.Format{{carrier.B3}, {carrier.B3Multi}, {carrier.W3C, carrier.B3}, {carrier.B3Multi, carrier.Jaeger}} {
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
			span := tracer.StartSpan("server", opentracing.ChildOf(remote))
			sc := tracer.StartSpan("client", opentracing.ChildOf(span.Context())).Context().(jaeger.SpanContext)
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
		h := c.in.Clone()
		if err := p.Inject(sc, h); err != nil {
			t.Fatal(err)
		}
		delete(h, "Traceparent")
		delete(h, "Uber-Trace-Id")
		if diff := cmp.Diff(c.want, h); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
