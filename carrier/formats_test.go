package carrier_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// describe writes a context as trace:span:parent:flags, or the error.
func describe(sc jaeger.SpanContext, err error) string {
	if err != nil {
		return err.Error()
	}
	if !sc.IsValid() {
		return "no ids"
	}
	return fmt.Sprintf("%s:%x:%x:%x", carrier.TraceID(sc), uint64(sc.SpanID()), uint64(sc.ParentID()), sc.Flags())
}

var (
	notFound  = opentracing.ErrSpanContextNotFound.Error()
	corrupted = opentracing.ErrSpanContextCorrupted.Error()
)

const longTrace = "0af7651916cd43dd8448eb211c80319c"

func TestJaegersHeaderIsReadAsJaegerReadsIt(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{longTrace + ":b7ad6b7169203331:5:1", longTrace + ":b7ad6b7169203331:5:1"},
		{longTrace + "%3Ab7ad6b7169203331%3A0%3A1", longTrace + ":b7ad6b7169203331:0:1"},
		{longTrace + "%3ab7ad6b7169203331%3a0%3a0", longTrace + ":b7ad6b7169203331:0:0"},
		{"1:2:3:0", "00000000000000000000000000000001:2:3:0"},
		{"1ABCDEF:2:0:1", "00000000000000000000000001abcdef:2:0:1"},
		{"1234567890abcdef0:2:0:1", "000000000000000" + "1234567890abcdef0:2:0:1"},
		{"1:2:0:01", "00000000000000000000000000000001:2:0:1"},
		{"1:2:0:9", "00000000000000000000000000000001:2:0:9"}, // firehose
		{"1:2:0:f1", "00000000000000000000000000000001:2:0:1"},
		{"1:2:0:3", "00000000000000000000000000000001:2:0:1"}, // debug is ignored by default
		{"1:2:0:2", "00000000000000000000000000000001:2:0:1"}, // debug implies sampled
		{"1:2:0:b", "00000000000000000000000000000001:2:0:9"}, // flags are hex
		{"", notFound},
		{"0:2:0:1", corrupted},
		{"1:0:0:1", corrupted},
		{"1:2:0", corrupted},
		{"1:2:0:", corrupted},
		{"1:2:0:1:1", corrupted},
		{"1:2:0:001", corrupted},
		{"1:2::1", corrupted},
		{"g:2:0:1", corrupted},
		{"-1:2:0:1", corrupted},
		{"+1:2:0:1", corrupted},
		{"0x1:2:0:1", corrupted},
		{longTrace + "0:2:0:1", corrupted},
		{"1:" + longTrace + ":0:1", corrupted},
		{"1%2:2:0:1", corrupted},
		{"1:2:0:1\x00", corrupted},
		{":::", corrupted},
		{"é:2:0:1", corrupted},
	} {
		t.Run("header "+c.header, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			if got := describe(p.Extract(headers("uber-trace-id", c.header))); got != c.want {
				t.Errorf("uber-trace-id %q: %s, want %s", c.header, got, c.want)
			}
		})
	}
}

func TestB3IsReadInAllItsForms(t *testing.T) {
	const ids = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1"
	const ctx = "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1"
	for _, c := range []struct{ header, want string }{
		{ids + "-1", ctx + ":0:1"},
		{ids + "-0", ctx + ":0:0"},
		{ids + "-d", ctx + ":0:1"},
		{ids, ctx + ":0:1"}, // undecided, and no Decide: sampled
		{ids + "-1-05e3ac9a4f6e3b90", ctx + ":5e3ac9a4f6e3b90:1"},
		{"1-2-1", "00000000000000000000000000000001:2:0:1"},
		{"80F198EE56343BA864FE8B2A57D3EFF7-e457b5a2e4d86bd1-1", ctx + ":0:1"},
		{"1", notFound},
		{"", notFound},
		{ids + "-2", corrupted},
		{ids + "-", corrupted},
		{ids + "-1-", corrupted},
		{ids + "-1-05e3ac9a4f6e3b90-1", corrupted},
		{"80f198ee56343ba864fe8b2a57d3eff7", corrupted},
		{"0-1-1", corrupted},
		{"-", corrupted},
		{"---", corrupted},
		{"x", corrupted},
	} {
		t.Run("header "+c.header, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			if got := describe(p.Extract(headers("b3", c.header))); got != c.want {
				t.Errorf("b3 %q: %s, want %s", c.header, got, c.want)
			}
		})
	}
}

func TestExtractB3Multi(t *testing.T) {
	const trace, span = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1"
	ids := []string{"x-b3-traceid", trace, "x-b3-spanid", span}
	for _, c := range []struct {
		more []string
		want string
	}{
		{nil, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-sampled", "1"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-sampled", "true"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-sampled", "True"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-sampled", "0"}, trace + ":" + span + ":0:0"},
		{[]string{"x-b3-sampled", "false"}, trace + ":" + span + ":0:0"},
		{[]string{"x-b3-sampled", "0", "x-b3-flags", "1"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-sampled", "0", "x-b3-flags", "0"}, trace + ":" + span + ":0:0"},
		{[]string{"x-b3-sampled", "perhaps"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-parentspanid", "5"}, trace + ":" + span + ":5:1"},
		{[]string{"x-b3-parentspanid", "x"}, trace + ":" + span + ":0:1"},
		{[]string{"x-b3-spanid", "1"}, corrupted},
		{[]string{"x-b3-spanid", span}, trace + ":" + span + ":0:1"},
	} {
		t.Run(fmt.Sprint(c.more), func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			if got := describe(p.Extract(headers(append(ids, c.more...)...))); got != c.want {
				t.Errorf("x-b3-* with %q: %s, want %s", c.more, got, c.want)
			}
		})
	}
	p := newPropagator(t, carrier.Config{})
	for _, pairs := range [][]string{{"x-b3-traceid", trace}, {"x-b3-traceid", "0", "x-b3-spanid", span}, {"x-b3-sampled", "x"}} {
		t.Run(strings.Join(pairs, " "), func(t *testing.T) {
			if got := describe(p.Extract(headers(pairs...))); got != corrupted {
				t.Errorf("%q: %s, want %s", pairs, got, corrupted)
			}
		})
	}
}

// A caller that only says "do not sample" gets its way, for this process and those after it.
func TestB3DenyAlone(t *testing.T) {
	for _, pairs := range [][]string{{"b3", "0"}, {"x-b3-sampled", "0"}, {"x-b3-sampled", "false"}} {
		t.Run(strings.Join(pairs, " "), func(t *testing.T) {
			tracer, p := newTracer(t, carrier.Config{})
			remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers(pairs...)))
			if err != nil {
				t.Fatalf("%q: %v", pairs, err)
			}
			sc := testspans.Start(t, tracer, "x", opentracing.ChildOf(remote)).Context().(jaeger.SpanContext)
			if sc.IsSampled() {
				t.Errorf("%q: sampled", pairs)
			}
			if got := inject(t, p, sc).Get("traceparent"); got[len(got)-2:] != "00" {
				t.Errorf("%q: sent %s", pairs, got)
			}
			if got := extract(t, p, headers(append(pairs, "uber-trace-id", "1:2:0:1")...)); !got.IsSampled() || got.TraceID().Low != 1 {
				t.Errorf("%q beside a context: %v", pairs, got)
			}
		})
	}
}

func TestUndecidedCallersAreLeftToDecide(t *testing.T) {
	asked := []jaeger.TraceID(nil)
	p := newPropagator(t, carrier.Config{Decide: func(id jaeger.TraceID) bool {
		asked = append(asked, id)
		if id.Low == 3 {
			panic("user's mistake")
		}
		return id.Low == 1
	}})
	for header, want := range map[string]bool{"1-2": true, "2-2": false, "3-2": false} {
		t.Run(header, func(t *testing.T) {
			if got := extract(t, p, headers("b3", header)); got.IsSampled() != want {
				t.Errorf("b3 %s: sampled %v", header, !want)
			}
		})
	}
	extract(t, p, headers("b3", "4-2-1"))
	extract(t, p, headers("x-b3-traceid", "5", "x-b3-spanid", "2", "x-b3-sampled", "0"))
	if len(asked) != 3 {
		t.Errorf("asked for %v", asked)
	}
	if got := p.Stats().HookPanic; got != 1 {
		t.Errorf("%d panics counted", got)
	}
}

func TestOrderAndConflict(t *testing.T) {
	all := []string{"traceparent", "00-" + longTrace + "-0000000000000001-01", "tracestate", "a=b", "uber-trace-id", "2:2:0:1", "b3", "3-3-1", "x-b3-traceid", "4", "x-b3-spanid", "4"}
	for i, f := range allFormats {
		t.Run(f.String()+" first", func(t *testing.T) {
			order := append([]carrier.Format{f}, allFormats...)
			p := newPropagator(t, carrier.Config{Extract: order})
			sc := extract(t, p, headers(all...))
			if got := uint64(sc.SpanID()); got != uint64(i+1) {
				t.Errorf("%v first: span %d", f, got)
			}
			s := p.Stats()
			if s.Conflict != 3 || s.Extracted[f] != 1 {
				t.Errorf("%v first: %+v", f, s)
			}
			if got := p.TraceState(sc); (got == "a=b") != (f == carrier.W3C) {
				t.Errorf("%v first: tracestate %q", f, got)
			}
		})
	}
	p := newPropagator(t, carrier.Config{})
	if got := describe(p.Extract(headers("traceparent", "00-bad", "uber-trace-id", "2:2:0:1"))); got != "00000000000000000000000000000002:2:0:1" {
		t.Errorf("after a malformed one: %s", got)
	}
	if s := p.Stats(); s.Malformed[carrier.W3C] != 1 || s.Extracted[carrier.Jaeger] != 1 || s.Conflict != 0 {
		t.Errorf("after a malformed one: %+v", s)
	}
	p = newPropagator(t, carrier.Config{Extract: []carrier.Format{carrier.B3}})
	if got := describe(p.Extract(headers(all[:6]...))); got != notFound {
		t.Errorf("formats that are off: %s", got)
	}
}

// Formats that name the same trace complement each other.
func TestFormatsOfOneTraceComplementEachOther(t *testing.T) {
	p := newPropagator(t, carrier.Config{Extract: []carrier.Format{carrier.Jaeger, carrier.W3C}, Debug: carrier.AllowDebug()})
	sc := extract(t, p, headers("uber-trace-id", longTrace+":7:6:1", "traceparent", "00-"+longTrace+"-0000000000000007-03", "tracestate", "a=b"))
	if got := p.TraceState(sc); got != "a=b" {
		t.Errorf("tracestate %q", got)
	}
	if got := inject(t, p, sc).Get("traceparent"); got != "00-"+longTrace+"-0000000000000007-03" {
		t.Errorf("sent %s", got)
	}
	p = newPropagator(t, carrier.Config{Debug: carrier.AllowDebug()})
	if got := describe(p.Extract(headers("traceparent", "00-"+longTrace+"-0000000000000007-01", "uber-trace-id", longTrace+":7:6:3"))); got != longTrace+":7:6:3" {
		t.Errorf("W3C and Jaeger together: %s", got)
	}
	if s := p.Stats(); s.Conflict != 0 {
		t.Errorf("%+v", s)
	}
}

func TestRepeatedHeadersHaveToAgree(t *testing.T) {
	for _, c := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"uber-trace-id", "1:2:0:1", "uber-trace-id", "1:2:0:1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"uber-trace-id", "", "uber-trace-id", "1:2:0:1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"uber-trace-id", "1:2:0:1", "uber-trace-id", "2:2:0:1"}, corrupted},
		{[]string{"uber-trace-id", "1:2:0:1, 1:2:0:1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"uber-trace-id", "1:2:0:1,1:2:0:1", "uber-trace-id", ",1:2:0:1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"uber-trace-id", "1:2:0:1,2:2:0:1"}, corrupted},
		{[]string{"uber-trace-id", strings.Repeat("1:2:0:1,", 1000)}, corrupted},
		{[]string{"b3", "1-2-1, 1-2-1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"b3", "1-2-1,1-2-0"}, corrupted},
		{[]string{"x-b3-traceid", "1,1", "x-b3-spanid", "2, 2", "x-b3-sampled", "1, 1"}, "00000000000000000000000000000001:2:0:1"},
		{[]string{"x-b3-traceid", "1,2", "x-b3-spanid", "2", "x-b3-sampled", "1"}, corrupted},
		{[]string{"traceparent", someTraceparent + "," + someTraceparent}, corrupted},
		{[]string{"b3", "1-2-1", "b3", "1-3-1"}, corrupted},
		{[]string{"x-b3-traceid", "1", "x-b3-traceid", "2", "x-b3-spanid", "1"}, corrupted},
		{[]string{"traceparent", someTraceparent, "traceparent", someTraceparent, "uber-trace-id", "1:2:0:1"}, "00000000000000000000000000000001:2:0:1"},
	} {
		t.Run(fmt.Sprint(c.pairs), func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			h := headers(c.pairs...)
			multi, list := carrier.Multi{}, &foreign{c.pairs}
			for i := 0; i < len(c.pairs); i += 2 {
				multi[c.pairs[i]] = append(multi[c.pairs[i]], c.pairs[i+1])
			}
			for _, in := range []any{h, opentracing.HTTPHeadersCarrier(h), multi, list} {
				t.Run(fmt.Sprintf("%T", in), func(t *testing.T) {
					if got := describe(p.Extract(in)); got != c.want {
						t.Errorf("%T %q: %s, want %s", in, c.pairs, got, c.want)
					}
				})
			}
		})
	}
	p := newPropagator(t, carrier.Config{})
	_, _ = p.Extract(headers("uber-trace-id", "1:2:0:1", "uber-trace-id", "2:2:0:1"))
	if s := p.Stats(); s.Duplicate != 1 {
		t.Errorf("%+v", s)
	}
}

func TestEveryFormatIsWrittenAsSpecified(t *testing.T) {
	p := newPropagator(t, carrier.Config{Inject: allFormats, Debug: carrier.AllowDebug()})
	for _, c := range []struct {
		sc   string
		want map[string]string
	}{
		{"1:2:3:1", map[string]string{
			"Traceparent": "00-00000000000000000000000000000001-0000000000000002-01", "Uber-Trace-Id": "0000000000000001:0000000000000002:0000000000000003:1",
			"B3": "0000000000000001-0000000000000002-1-0000000000000003", "X-B3-Traceid": "0000000000000001", "X-B3-Spanid": "0000000000000002",
			"X-B3-Parentspanid": "0000000000000003", "X-B3-Sampled": "1",
		}},
		{longTrace + ":2:0:0", map[string]string{
			"Traceparent": "00-" + longTrace + "-0000000000000002-00", "Uber-Trace-Id": longTrace + ":0000000000000002:0000000000000000:0",
			"B3": longTrace + "-0000000000000002-0", "X-B3-Traceid": longTrace, "X-B3-Spanid": "0000000000000002", "X-B3-Sampled": "0",
		}},
		{"1:2:0:11", map[string]string{
			"Traceparent": "00-00000000000000000000000000000001-0000000000000002-01", "Uber-Trace-Id": "0000000000000001:0000000000000002:0000000000000000:b",
			"B3": "0000000000000001-0000000000000002-d", "X-B3-Traceid": "0000000000000001", "X-B3-Spanid": "0000000000000002", "X-B3-Flags": "1",
		}},
	} {
		t.Run(c.sc, func(t *testing.T) {
			sc, err := jaeger.ContextFromString(c.sc) // reads the flags as decimal
			if err != nil {
				t.Fatal(err)
			}
			h := inject(t, p, sc)
			for k, v := range c.want {
				if got := h[k]; len(got) != 1 || got[0] != v {
					t.Errorf("%s: %s %q, want %q", c.sc, k, got, v)
				}
			}
			if len(h) != len(c.want) {
				t.Errorf("%s: sent %v", c.sc, h)
			}
		})
	}
}

func TestInjectWithoutIDs(t *testing.T) {
	p := newPropagator(t, carrier.Config{Inject: allFormats})
	if h := inject(t, p, jaeger.SpanContext{}); len(h) != 0 {
		t.Errorf("sent %v", h)
	}
	if p.TraceState(jaeger.SpanContext{}) != "" {
		t.Error("a tracestate of nothing")
	}
}

type numbered struct{ trace, span uint64 }

func (n numbered) TraceID() uint64                         { return n.trace }
func (n numbered) SpanID() uint64                          { return n.span }
func (numbered) ForeachBaggageItem(func(k, v string) bool) {}

type named struct{ trace, span string }

func (n named) TraceID() string                         { return n.trace }
func (n named) SpanID() string                          { return n.span }
func (named) ForeachBaggageItem(func(k, v string) bool) {}
