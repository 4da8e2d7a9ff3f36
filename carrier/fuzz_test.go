package carrier_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// FuzzExtract reads any headers, one to a line, from every carrier. What comes of them starts a span and goes out
// legal.
func FuzzExtract(f *testing.F) {
	for _, c := range w3cCases {
		var b strings.Builder
		for i := 0; i < len(c.headers); i += 2 {
			b.WriteString(c.headers[i] + ":" + c.headers[i+1] + "\n")
		}
		f.Add(b.String())
	}
	for _, r := range requests {
		f.Add(strings.Join(r.pairs, "\n"))
	}
	for _, v := range hostileValues {
		if len(v) < 1000 {
			f.Add("Uber-Trace-Id:1:2:0:3\nbaggage:" + v + "\nuberctx-" + v + ":" + v + "\njaeger-baggage:" + v)
			f.Add("jaeger-debug-id:" + v + "\nx-b3-traceid:1\nx-b3-spanid:2\nx-b3-sampled:" + v + "\nb3:" + v)
		}
	}
	tracer, p := newTracer(f, carrier.Config{Inject: allFormats, Debug: carrier.AllowDebug()})
	f.Fuzz(func(t *testing.T, text string) {
		h, text1, list := http.Header{}, opentracing.TextMapCarrier{}, &foreign{}
		for line := range strings.SplitSeq(text, "\n") {
			k, v, _ := strings.Cut(line, ":")
			h.Add(k, v)
			text1[k] = v
			list.Set(k, v)
		}
		for _, in := range []any{h, opentracing.HTTPHeadersCarrier(h), asMulti(h), text1, list} {
			for _, format := range []opentracing.BuiltinFormat{opentracing.HTTPHeaders, opentracing.TextMap} {
				remote, err := tracer.Extract(format, in)
				if err != nil {
					continue
				}
				sc := testspans.Start(t, tracer, "x", opentracing.ChildOf(remote)).Context().(jaeger.SpanContext)
				if !sc.IsValid() || len(baggageOf(sc)) > 64 {
					t.Errorf("%T: %v with %d baggage items", in, sc, len(baggageOf(sc)))
				}
				for k, vs := range inject(t, p, sc) {
					if len(vs) != 1 || !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(vs[0]) || !legalMetadata("", vs[0]) {
						t.Errorf("%T: sent %q: %q", in, k, vs)
					}
				}
			}
		}
	})
}

// FuzzRoundTrip passes a context through every format and carrier.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint64(3), uint64(4), true, "userId", "a b", "k", "")
	f.Add(uint64(0), uint64(1)<<63, ^uint64(0), uint64(0), false, "a", "é\x00\r\n%41+,;=\"\\", "A", "x")
	f.Add(uint64(0), uint64(5), uint64(6), uint64(0), true, "user id", "x", "a!b", "\xff")
	tracers := map[carrier.Format]opentracing.Tracer{}
	for _, format := range allFormats {
		tracers[format], _ = newTracer(f, carrier.Config{Extract: []carrier.Format{format}, Inject: []carrier.Format{format}})
	}
	f.Fuzz(func(t *testing.T, high, low, span, parent uint64, sampled bool, k1, v1, k2, v2 string) {
		in := jaeger.NewSpanContext(jaeger.TraceID{High: high, Low: low}, jaeger.SpanID(span), jaeger.SpanID(parent), sampled, items{k1: v1, k2: v2})
		if !in.IsValid() || len(k1)+len(v1)+len(k2)+len(v2) > 800 {
			return
		}
		for _, format := range allFormats {
			for name, target := range targets() {
				c := target.make()
				if err := tracers[format].Inject(in, target.format, c); err != nil {
					t.Fatal(err)
				}
				out, err := tracers[format].Extract(target.format, c)
				if err != nil {
					t.Fatalf("%v %s %v: %v", format, name, c, err)
				}
				sc := out.(jaeger.SpanContext)
				if sc.TraceID() != in.TraceID() || sc.SpanID() != in.SpanID() || sc.IsSampled() != sampled || format != carrier.W3C && sc.ParentID() != in.ParentID() {
					t.Errorf("%v %s: %v, want %v", format, name, sc, in)
				}
				if diff := cmp.Diff(survivors(in, format, target), baggageOf(sc)); diff != "" {
					t.Errorf("%v %s: %s", format, name, diff)
				}
			}
		}
	})
}

// survivors are the items that must arrive: those with a key that is a token, and for uberctx- in the target's terms.
func survivors(in jaeger.SpanContext, format carrier.Format, target target) items {
	want := items{}
	sent := baggageOf(in)
	for k, v := range sent {
		if !httpguts.ValidHeaderFieldName(k) {
			continue
		}
		valid := func(v string) string { return string([]rune(v)) }
		if format != carrier.Jaeger {
			want[k] = valid(v)
			continue
		}
		if target.format == opentracing.TextMap {
			valid = func(v string) string { return v }
		}
		if target.metadata && !legalMetadata(strings.ToLower(k), "") {
			continue
		}
		lower := strings.ToLower(k)
		if target.lowers {
			// Of two keys that differ in case alone, the one that sorts last is the one that is left.
			for other := range sent {
				if strings.EqualFold(other, k) && other > k && httpguts.ValidHeaderFieldName(other) {
					v = sent[other]
				}
			}
			k = lower
		}
		want[k] = valid(v)
	}
	return want
}

// FuzzBinary reads any bytes. What it accepts, it writes and reads again the same.
func FuzzBinary(f *testing.F) {
	tracer, _ := newTracer(f, carrier.Config{Debug: carrier.AllowDebug()})
	for _, baggage := range []items{nil, {"a": "1"}, {"userId": "é\x00", "b": strings.Repeat("x", 100)}} {
		var b bytes.Buffer
		if err := tracer.Inject(jaeger.NewSpanContext(jaeger.TraceID{High: 1, Low: 2}, 3, 4, true, baggage), opentracing.Binary, &b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		f.Add(b.Bytes()[:b.Len()-1])
	}
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Add(append(bytes.Repeat([]byte{1}, 33), 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := tracer.Extract(opentracing.Binary, bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := tracer.Inject(first, opentracing.Binary, &again); err != nil {
			t.Fatal(err)
		}
		second, err := tracer.Extract(opentracing.Binary, &again)
		if err != nil {
			t.Fatal(err)
		}
		if first.(jaeger.SpanContext).String() != second.(jaeger.SpanContext).String() {
			t.Errorf("%v became %v", first, second)
		}
		if diff := cmp.Diff(baggageOf(first), baggageOf(second)); diff != "" && len(b) < 2000 {
			t.Error(diff)
		}
	})
}
