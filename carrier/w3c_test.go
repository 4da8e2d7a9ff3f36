package carrier_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

const (
	w3cTrace = "12345678901234567890123456789012"
	w3cSpan  = "1234567890123456"
	w3cFirst = "00-" + w3cTrace + "-" + w3cSpan + "-"
)

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",bar%02d=%02d", i, i)
	}
	return b.String()[1:]
}

// w3cCases restate https://github.com/w3c/trace-context/tree/main/test, strict and level 2: what a service that gets
// these headers must send on.
var w3cCases = []struct {
	name    string
	headers []string
	trace   string // "" for a new trace
	state   string
}{
	{"traceparent and tracestate missing", nil, "", ""},
	{"traceparent alone", []string{"traceparent", w3cFirst + "01"}, w3cTrace, ""},
	{"traceparent twice", []string{"traceparent", w3cFirst + "01", "traceparent", "00-12345678901234567890123456789011-1234567890123456-01"}, "", ""},
	{"traceparent twice the same", []string{"traceparent", w3cFirst + "01", "traceparent", w3cFirst + "01"}, "", ""},
	{"traceparent twice in one line", []string{"traceparent", w3cFirst + "01," + w3cFirst + "01"}, "", ""},
	{"header name trace-parent", []string{"trace-parent", w3cFirst + "01"}, "", ""},
	{"header name trace.parent", []string{"trace.parent", w3cFirst + "01"}, "", ""},
	{"header name TraceParent", []string{"TraceParent", w3cFirst + "01"}, w3cTrace, ""},
	{"header name TrAcEpArEnT", []string{"TrAcEpArEnT", w3cFirst + "01"}, w3cTrace, ""},
	{"header name TRACEPARENT", []string{"TRACEPARENT", w3cFirst + "01"}, w3cTrace, ""},
	{"version 00 with more", []string{"traceparent", w3cFirst + "01-what-the-future-will-be-like"}, "", ""},
	{"version 00 with more, no dash", []string{"traceparent", w3cFirst + "01."}, "", ""},
	{"version cc", []string{"traceparent", "cc-" + w3cTrace + "-" + w3cSpan + "-01"}, w3cTrace, ""},
	{"version cc with more", []string{"traceparent", "cc-" + w3cTrace + "-" + w3cSpan + "-01-what-the-future-will-be-like"}, w3cTrace, ""},
	{"version cc with more, no dash", []string{"traceparent", "cc-" + w3cTrace + "-" + w3cSpan + "-01.what-the-future-will-be-like"}, "", ""},
	{"version cc over our limit", []string{"traceparent", "cc-" + w3cTrace + "-" + w3cSpan + "-01-" + strings.Repeat("x", 256)}, "", ""},
	{"version ff", []string{"traceparent", "ff-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"version .0", []string{"traceparent", ".0-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"version 0.", []string{"traceparent", "0.-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"version 000", []string{"traceparent", "000-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"version 0000", []string{"traceparent", "0000-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"version 0", []string{"traceparent", "0-" + w3cTrace + "-" + w3cSpan + "-01"}, "", ""},
	{"trace id zero", []string{"traceparent", "00-00000000000000000000000000000000-1234567890123456-01"}, "", ""},
	{"trace id with dot", []string{"traceparent", "00-.2345678901234567890123456789012-1234567890123456-01"}, "", ""},
	{"trace id with dot last", []string{"traceparent", "00-1234567890123456789012345678901.-1234567890123456-01"}, "", ""},
	{"trace id in upper case", []string{"traceparent", "00-ABCDEF78901234567890123456789012-1234567890123456-01"}, "", ""},
	{"trace id long", []string{"traceparent", "00-123456789012345678901234567890123-1234567890123456-01"}, "", ""},
	{"trace id short", []string{"traceparent", "00-1234567890123456789012345678901-1234567890123456-01"}, "", ""},
	{"parent id zero", []string{"traceparent", "00-" + w3cTrace + "-0000000000000000-01"}, "", ""},
	{"parent id with dot", []string{"traceparent", "00-" + w3cTrace + "-.234567890123456-01"}, "", ""},
	{"parent id with dot last", []string{"traceparent", "00-" + w3cTrace + "-123456789012345.-01"}, "", ""},
	{"parent id long", []string{"traceparent", "00-" + w3cTrace + "-12345678901234567-01"}, "", ""},
	{"parent id short", []string{"traceparent", "00-" + w3cTrace + "-123456789012345-01"}, "", ""},
	{"flags .0", []string{"traceparent", w3cFirst + ".0"}, "", ""},
	{"flags 0.", []string{"traceparent", w3cFirst + "0."}, "", ""},
	{"flags 001", []string{"traceparent", w3cFirst + "001"}, "", ""},
	{"flags 1", []string{"traceparent", w3cFirst + "1"}, "", ""},
	{"flags unknown", []string{"traceparent", w3cFirst + "fd"}, w3cTrace, ""},
	{"flags in upper case", []string{"traceparent", w3cFirst + "0A"}, "", ""},
	{"blanks around", []string{"traceparent", " \t" + w3cFirst + "01 \t"}, w3cTrace, ""},

	{"tracestate alone", []string{"tracestate", "foo=1"}, "", ""},
	{"tracestate beside a bad traceparent", []string{"traceparent", w3cFirst + "1", "tracestate", "foo=1"}, "", ""},
	{"tracestate", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1,bar=2"}, w3cTrace, "foo=1,bar=2"},
	{"header name trace-state", []string{"traceparent", w3cFirst + "00", "trace-state", "foo=1"}, w3cTrace, ""},
	{"header name trace.state", []string{"traceparent", w3cFirst + "00", "trace.state", "foo=1"}, w3cTrace, ""},
	{"header name TRACESTATE", []string{"traceparent", w3cFirst + "00", "TRACESTATE", "foo=1"}, w3cTrace, "foo=1"},
	{"tracestate empty", []string{"traceparent", w3cFirst + "00", "tracestate", ""}, w3cTrace, ""},
	{"tracestate then empty", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1", "tracestate", ""}, w3cTrace, "foo=1"},
	{"tracestate after empty", []string{"traceparent", w3cFirst + "00", "tracestate", "", "tracestate", "foo=1"}, w3cTrace, "foo=1"},
	{"tracestate in three lines", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1,bar=2", "tracestate", "rojo=1,congo=2", "tracestate", "baz=3"}, w3cTrace, "foo=1,bar=2,rojo=1,congo=2,baz=3"},
	{"tracestate key twice", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1,foo=1"}, w3cTrace, "foo=1"},
	{"tracestate key twice in two lines", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1", "tracestate", "foo=2"}, w3cTrace, "foo=1"},
	{"tracestate key twice among others", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1,fo=2, foo=3,fooo=4,fo=5"}, w3cTrace, "foo=1,fo=2,fooo=4"},
	{"tracestate all characters", []string{"traceparent", w3cFirst + "00", "tracestate",
		"abcdefghijklmnopqrstuvwxyz0123456789_-*/= !\"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"}, w3cTrace,
		"abcdefghijklmnopqrstuvwxyz0123456789_-*/= !\"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"},
	{"tracestate with blanks", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1 \t , \t bar=2, \t baz=3"}, w3cTrace, "foo=1,bar=2,baz=3"},
	{"tracestate with blanks in two lines", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1 \t", "tracestate", " \tbar=2"}, w3cTrace, "foo=1,bar=2"},
	{"tracestate with empty members", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=1,,bar=2, ,"}, w3cTrace, "foo=1,bar=2"},
	{"tracestate of commas", []string{"traceparent", w3cFirst + "00", "tracestate", ",,,"}, w3cTrace, ""},
	{"tracestate key with blank", []string{"traceparent", w3cFirst + "00", "tracestate", "foo =1"}, w3cTrace, ""},
	{"tracestate key in upper case", []string{"traceparent", w3cFirst + "00", "tracestate", "FOO=1"}, w3cTrace, ""},
	{"tracestate key with dot", []string{"traceparent", w3cFirst + "00", "tracestate", "foo.bar=1"}, w3cTrace, ""},
	{"tracestate key foo@", []string{"traceparent", w3cFirst + "00", "tracestate", "foo@=1,bar=2"}, w3cTrace, "foo@=1,bar=2"},
	{"tracestate key @foo", []string{"traceparent", w3cFirst + "00", "tracestate", "@foo=1,bar=2"}, w3cTrace, ""},
	{"tracestate key foo@@bar", []string{"traceparent", w3cFirst + "00", "tracestate", "foo@@bar=1,bar=2"}, w3cTrace, "foo@@bar=1,bar=2"},
	{"tracestate key foo@bar@baz", []string{"traceparent", w3cFirst + "00", "tracestate", "foo@bar@baz=1,bar=2"}, w3cTrace, "foo@bar@baz=1,bar=2"},
	{"tracestate key starts with a digit", []string{"traceparent", w3cFirst + "00", "tracestate", "0a=1"}, w3cTrace, "0a=1"},
	{"tracestate key starts with a dash", []string{"traceparent", w3cFirst + "00", "tracestate", "-a=1"}, w3cTrace, ""},
	{"tracestate 32 members", []string{"traceparent", w3cFirst + "00", "tracestate", manyMembers(32)}, w3cTrace, manyMembers(32)},
	{"tracestate 33 members", []string{"traceparent", w3cFirst + "00", "tracestate", manyMembers(33)}, w3cTrace, ""},
	{"tracestate 33 members in two lines", []string{"traceparent", w3cFirst + "00", "tracestate", manyMembers(32), "tracestate", "foo=1"}, w3cTrace, ""},
	{"tracestate key of 256", []string{"traceparent", w3cFirst + "00", "tracestate", strings.Repeat("z", 256) + "=1"}, w3cTrace, strings.Repeat("z", 256) + "=1"},
	{"tracestate key of 257", []string{"traceparent", w3cFirst + "00", "tracestate", strings.Repeat("z", 257) + "=1"}, w3cTrace, ""},
	{"tracestate tenant of 241", []string{"traceparent", w3cFirst + "00", "tracestate", strings.Repeat("t", 241) + "@" + strings.Repeat("v", 14) + "=1"}, w3cTrace, strings.Repeat("t", 241) + "@" + strings.Repeat("v", 14) + "=1"},
	{"tracestate tenant of 242", []string{"traceparent", w3cFirst + "00", "tracestate", strings.Repeat("t", 242) + "@v=1"}, w3cTrace, strings.Repeat("t", 242) + "@v=1"},
	{"tracestate value with =", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=bar=baz"}, w3cTrace, ""},
	{"tracestate value empty", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=,bar=3"}, w3cTrace, ""},
	{"tracestate value not ASCII", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=é"}, w3cTrace, ""},
	{"tracestate value of 256", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=" + strings.Repeat("v", 256)}, w3cTrace, "foo=" + strings.Repeat("v", 256)},
	{"tracestate value of 257", []string{"traceparent", w3cFirst + "00", "tracestate", "foo=" + strings.Repeat("v", 257)}, w3cTrace, ""},
	{"tracestate of more than 512 bytes", []string{"traceparent", w3cFirst + "00", "tracestate", "a=" + strings.Repeat("v", 256) + ",b=" + strings.Repeat("w", 256)}, w3cTrace, "a=" + strings.Repeat("v", 256) + ",b=" + strings.Repeat("w", 256)},
}

func TestW3CConformance(t *testing.T) {
	for _, c := range w3cCases {
		t.Run(c.name, func(t *testing.T) {
			tracer, _ := newTracer(t, carrier.Config{})
			remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers(c.headers...)))
			if (err == nil) != (c.trace != "") {
				t.Fatalf("Extract: %v", err)
			}
			var opts []opentracing.StartSpanOption
			if err == nil {
				opts = append(opts, opentracing.ChildOf(remote))
				if got := carrier.SpanID(remote); got != w3cSpan {
					t.Errorf("parent id %s, want %s", got, w3cSpan)
				}
			}
			span := testspans.Start(t, tracer, "request", opts...)
			child := testspans.Start(t, tracer, "call", opentracing.ChildOf(span.Context()))
			out := headers()
			if err := tracer.Inject(child.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out)); err != nil {
				t.Fatal(err)
			}
			parent := out.Get("traceparent")
			if len(out.Values("traceparent")) != 1 || len(parent) != 55 || parent[36:52] == w3cSpan {
				t.Errorf("sent traceparent %q", out.Values("traceparent"))
			}
			if got := parent[3:35]; (got == w3cTrace) != (c.trace != "") {
				t.Errorf("sent trace id %s, want %q", got, c.trace)
			}
			if got := strings.Join(out.Values("tracestate"), "|"); got != c.state {
				t.Errorf("sent tracestate %q, want %q", got, c.state)
			}
			if got := len(baggageOf(child.Context())); got != 0 {
				t.Errorf("%d baggage items", got)
			}
		})
	}
}

func TestW3CFlags(t *testing.T) {
	for in, want := range map[string]string{
		"00": "00", "01": "01", "02": "02", "03": "03", // level 2: the random flag goes on as it came
		"fc": "00", "fd": "01", "ff": "03", // flags of the future do not
	} {
		t.Run(in, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			sc := extract(t, p, headers("traceparent", w3cFirst+in))
			if got, want := inject(t, p, sc).Get("traceparent"), w3cFirst+want; got != want {
				t.Errorf("flags %s: sent %s, want %s", in, got, want)
			}
		})
	}
}
