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
	"github.com/spanloom/spanloom/internal/rpcmeta"
	"github.com/spanloom/spanloom/internal/testspans"
)

type items = map[string]string

func TestBaggageIsReadInEveryStyle(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		want  items
	}{
		{"W3C keeps case and decodes", []string{"baggage", "userId=a%20b%2Cc, x=%C3%A9"}, items{"userId": "a b,c", "x": "é"}},
		{"W3C in two lines", []string{"baggage", "a=1", "baggage", "b=2"}, items{"a": "1", "b": "2"}},
		{"W3C properties are no value", []string{"baggage", "a=1;p;q=2 , b = 2 ; r"}, items{"a": "1", "b": "2"}},
		{"W3C plus is a plus", []string{"baggage", "a=1+1"}, items{"a": "1+1"}},
		{"W3C value with =", []string{"baggage", "a=b=c"}, items{"a": "b=c"}},
		{"W3C empty value", []string{"baggage", "a="}, items{"a": ""}},
		{"W3C bad members go alone", []string{"baggage", "a,=1,b c=2,d=%zz,e=\x01,f=é,g=3,,"}, items{"g": "3"}},
		{"W3C twice: the last", []string{"baggage", "a=1,a=2"}, items{"a": "2"}},
		{"uberctx is decoded", []string{"uber-trace-id", "1:2:0:1", "uberctx-user-id", "a+b%2Cc", "uberctx-x", "%C3%A9"}, items{"user-id": "a b,c", "x": "é"}},
		{"uberctx not escaped", []string{"uber-trace-id", "1:2:0:1", "uberctx-a", "100%"}, items{"a": "100%"}},
		{"uberctx key is no token", []string{"uber-trace-id", "1:2:0:1", "uberctx-a b", "1", "uberctx-", "2", "uberctx-c", "3"}, items{"c": "3"}},
		{"uberctx without any context", []string{"uberctx-a", "1"}, items{"a": "1"}},
		{"uberctx beside an empty uber-trace-id", []string{"uber-trace-id", "", "uberctx-a", "1"}, items{"a": "1"}},
		{"uberctx beside both contexts", []string{"traceparent", someTraceparent, "uber-trace-id", someUberTraceID, "uberctx-a", "1"}, items{"a": "1"}},
		{"jaeger-baggage", []string{"jaeger-baggage", "a=1, b = 2,c,=3,,d=x=y"}, items{"a": "1", "b": "2", "d": "x=y"}},
		{"jaeger-baggage escaped as a whole", []string{"jaeger-baggage", "a%3D1%2Cb%3D2"}, items{"a": "1", "b": "2"}},
		{"styles merge, W3C stands", []string{"uber-trace-id", "1:2:0:1", "baggage", "userId=w3c", "uberctx-userid", "jaeger", "uberctx-b", "2", "jaeger-baggage", "USERID=x,b=y,c=3"}, items{"userId": "w3c", "b": "2", "c": "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, _ := newTracer(t, carrier.Config{})
			remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers(c.pairs...)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, baggageOf(remote)); diff != "" {
				t.Error(diff)
			}
			span := testspans.Start(t, tracer, "x", opentracing.ChildOf(remote))
			if diff := cmp.Diff(c.want, baggageOf(span.Context())); diff != "" {
				t.Errorf("in a span: %s", diff)
			}
		})
	}
}

// Whatever the middleware of a service reads goes out again as it came in, but for keys of which uberctx- loses the
// case.
func TestBaggageRoundTrip(t *testing.T) {
	awkward := items{"userId": "a b,c;d=é\"\\\x00\r\n%41+", "empty": "", "semi;colon": "x", "user id": "x", "": "x", "nö": "x", "a!b": "y", "userid2": "\xff"}
	kept := items{"userId": awkward["userId"], "empty": "", "a!b": "y", "userid2": "\xff"}
	for _, style := range []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage} {
		for name, target := range targets() {
			t.Run(fmt.Sprint(name, style), func(t *testing.T) {
				want := items{}
				for k, v := range kept {
					if style == carrier.W3CBaggage || target.format == opentracing.HTTPHeaders {
						v = strings.ToValidUTF8(v, "\uFFFD")
					}
					if style == carrier.JaegerBaggage && target.lowers {
						k = strings.ToLower(k)
					}
					if !(style == carrier.JaegerBaggage && target.metadata && k == "a!b") {
						want[k] = v
					}
				}
				tracer, p := newTracer(t, carrier.Config{Baggage: carrier.Baggage{Styles: []carrier.BaggageStyle{style}}})
				in := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, awkward)
				c := target.make()
				if err := tracer.Inject(in, target.format, c); err != nil {
					t.Fatal(err)
				}
				out, err := tracer.Extract(target.format, c)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, baggageOf(out)); diff != "" {
					t.Error(diff)
				}
				if got := p.Stats().BaggageMalformed; got < 4 {
					t.Errorf("%d malformed counted", got)
				}
			})
		}
	}
}

type target struct {
	format   opentracing.BuiltinFormat
	make     func() any
	lowers   bool // keys arrive in lower case
	metadata bool // keys must be legal in gRPC metadata
}

func targets() map[string]target {
	header := func() any { return http.Header{} }
	wrapped := func() any { return opentracing.HTTPHeadersCarrier{} }
	multi := func() any { return carrier.Multi{} }
	text := func() any { return opentracing.TextMapCarrier{} }
	other := func() any { return &foreign{} }
	rpc := func() any { return &rpcmeta.Outgoing{Own: map[string][]string{}} }
	return map[string]target{
		"http.Header":                {opentracing.HTTPHeaders, header, true, false},
		"HTTPHeadersCarrier":         {opentracing.HTTPHeaders, wrapped, true, false},
		"Multi":                      {opentracing.HTTPHeaders, multi, true, true},
		"metadata of an RPC":         {opentracing.HTTPHeaders, rpc, true, true},
		"TextMapCarrier":             {opentracing.HTTPHeaders, text, true, true},
		"foreign":                    {opentracing.HTTPHeaders, other, true, true},
		"TextMap HTTPHeadersCarrier": {opentracing.TextMap, wrapped, true, false},
		"TextMap Multi":              {opentracing.TextMap, multi, true, true},
		"TextMap TextMapCarrier":     {opentracing.TextMap, text, false, false},
		"TextMap foreign":            {opentracing.TextMap, other, false, false},
	}
}

// Both styles at once, the default, lose nothing.
func TestBaggageRoundTripDefault(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	want := items{"userId": "1", "userid": "2", "USERID": "3", "plain": "4"}
	in := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, want)
	for name, target := range targets() {
		t.Run(name, func(t *testing.T) {
			c := target.make()
			if err := tracer.Inject(in, target.format, c); err != nil {
				t.Fatal(err)
			}
			out, err := tracer.Extract(target.format, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, baggageOf(out)); diff != "" {
				t.Errorf("%s", diff)
			}
		})
	}
}

// A stock jaeger-client-go on the other side reads and writes the same.
func TestBaggageWithStockClient(t *testing.T) {
	ours, _ := newTracer(t, carrier.Config{})
	stock, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	want := items{"user": "a b+c%41", "x": "é"}
	in := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, want)
	for _, format := range []opentracing.BuiltinFormat{opentracing.HTTPHeaders, opentracing.TextMap} {
		for _, pair := range [][2]opentracing.Tracer{{ours, stock}, {stock, ours}} {
			c := opentracing.TextMapCarrier{}
			if err := pair[0].Inject(in, format, c); err != nil {
				t.Fatal(err)
			}
			out, err := pair[1].Extract(format, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, baggageOf(out)); diff != "" {
				t.Errorf("format %d: %s", format, diff)
			}
			if got := out.(jaeger.SpanContext).String(); got != in.String() {
				t.Errorf("format %d: %s", format, got)
			}
		}
	}
}

func TestPropertiesOfBaggageArePassedOn(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	for _, ids := range [][]string{{"traceparent", someTraceparent}, nil} {
		in := headers(append(ids, "baggage", "a=1;p=x;q, b=2;r , c=3")...)
		if got := inject(t, p, extract(t, p, in)).Get("baggage"); got != "a=1;p=x;q,b=2;r,c=3" {
			t.Errorf("passed on with ids %q: %s", ids, got)
		}
	}
	twice := headers("traceparent", someTraceparent, "baggage", "a=1;p=x,b=2;q,a=1;r,b=2")
	if got := inject(t, p, extract(t, p, twice)).Get("baggage"); got != "a=1;r,b=2" {
		t.Errorf("of keys that come twice the last does not stand: %s", got)
	}
	remote := extract(t, p, headers("traceparent", someTraceparent, "baggage", "a=1;p=x,b=2;r"))
	span := testspans.Start(t, tracer, "x", opentracing.ChildOf(remote))
	span.SetBaggageItem("a", "new")
	if got := inject(t, p, span.Context().(jaeger.SpanContext)).Get("baggage"); got != "a=new,b=2;r" {
		t.Errorf("after a change: %s", got)
	}
}

func TestOnlyAllowedBaggageIsSent(t *testing.T) {
	is := func(want string) func(string) bool { return func(key string) bool { return key != want } }
	p := newPropagator(t, carrier.Config{Baggage: carrier.Baggage{Allow: is("both"), AllowIn: is("in"), AllowOut: func(key string) bool {
		if key == "panic" {
			panic("user's mistake")
		}
		return key != "out"
	}}})
	in := headers("uber-trace-id", "1:2:0:1", "baggage", "both=1,in=1,out=1,panic=1,ok=1", "uberctx-in", "1", "jaeger-baggage", "in=2,both=2")
	sc := extract(t, p, in)
	if diff := cmp.Diff(items{"out": "1", "panic": "1", "ok": "1"}, baggageOf(sc)); diff != "" {
		t.Error(diff)
	}
	h := inject(t, p, sc.WithBaggageItem("both", "1").WithBaggageItem("in", "1"))
	if got := h.Get("baggage"); got != "in=1,ok=1" {
		t.Errorf("sent %s", got)
	}
	if s := p.Stats(); s.BaggageDenied != 5+3 || s.HookPanic != 1 {
		t.Errorf("%+v", s)
	}
}

func manyItems(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",key%d=%d", i, i)
	}
	return b.String()[1:]
}

func TestBaggageStaysWithinItsLimits(t *testing.T) {
	prefixed := []string{"uber-trace-id", "1:2:0:1"}
	for i := range 100 {
		prefixed = append(prefixed, fmt.Sprintf("uberctx-other%d", i), "v")
	}
	for _, c := range []struct {
		name     string
		baggage  carrier.Baggage
		pairs    []string
		want     int
		overMost bool
	}{
		{"W3C 64", carrier.Baggage{}, []string{"baggage", manyItems(64)}, 64, false},
		{"W3C 65", carrier.Baggage{}, []string{"baggage", manyItems(65)}, 64, true},
		{"W3C 2 lines", carrier.Baggage{}, []string{"baggage", manyItems(64), "baggage", "x=1"}, 64, true},
		{"prefixed 100", carrier.Baggage{}, prefixed, 64, true},
		{"jaeger-baggage 100", carrier.Baggage{}, []string{"jaeger-baggage", manyItems(100)}, 64, true},
		{"all styles", carrier.Baggage{}, append(prefixed, "baggage", manyItems(40), "jaeger-baggage", "x=1"), 64, true},
		{"fewer allowed", carrier.Baggage{MaxItems: 3}, append(prefixed, "baggage", "a=1,b=2"), 3, true},
		{"none allowed", carrier.Baggage{MaxItems: -1}, append(prefixed, "baggage", "a=1,b=2"), 0, false},
		{"no style", carrier.Baggage{Styles: []carrier.BaggageStyle{}}, append(prefixed, "baggage", "a=1,b=2"), 0, false},
		{"8192 bytes", carrier.Baggage{}, []string{"baggage", "a=" + strings.Repeat("x", 8190)}, 1, false},
		{"8193 bytes", carrier.Baggage{}, []string{"baggage", "a=" + strings.Repeat("x", 8191)}, 0, true},
		{"the members that fit", carrier.Baggage{}, []string{"baggage", "a=1,b=2,c=" + strings.Repeat("x", 8190)}, 2, true},
		{"in bytes over styles", carrier.Baggage{MaxBytes: 20}, []string{"uber-trace-id", "1:2:0:1", "baggage", "a=23456789", "uberctx-b", "123456789", "uberctx-c", "123456789"}, 2, true},
		{"a long one does not hide others", carrier.Baggage{MaxBytes: 20}, []string{"uber-trace-id", "1:2:0:1", "uberctx-b", strings.Repeat("x", 20), "uberctx-c", "1", "uberctx-d", "1"}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{Baggage: c.baggage})
			h := headers(append([]string{"uber-trace-id", "1:2:0:1"}, c.pairs...)...)
			for _, in := range []any{h, asMulti(h), asForeign(h)} {
				before := p.Stats().BaggageOverLimit
				sc, err := p.Extract(in)
				if err != nil {
					t.Fatal(err)
				}
				if got := len(baggageOf(sc)); got != c.want {
					t.Errorf("%T: %d items, want %d", in, got, c.want)
				}
				if got := p.Stats().BaggageOverLimit > before; got != c.overMost {
					t.Errorf("%T: counted %+v", in, p.Stats())
				}
			}
		})
	}
}

func asMulti(h http.Header) carrier.Multi {
	m := carrier.Multi{}
	for k, v := range h {
		m[strings.ToLower(k)] = v
	}
	return m
}

func asForeign(h http.Header) *foreign {
	f := &foreign{}
	for k, vs := range h {
		for _, v := range vs {
			f.Set(k, v)
		}
	}
	return f
}

// A span's own baggage is bounded on the way out, and always by the same items.
func TestBaggageLimitsOut(t *testing.T) {
	all := items{}
	for i := range 100 {
		all[fmt.Sprintf("key%02d", i)] = "v"
	}
	all["a-long"] = strings.Repeat("é", 8192/6)
	p := newPropagator(t, carrier.Config{})
	h := inject(t, p, jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, all))
	members := strings.Split(h.Get("baggage"), ",")
	if len(members) != 64 || len(h.Get("baggage")) > 8192 {
		t.Errorf("%d members, %d bytes", len(members), len(h.Get("baggage")))
	}
	if again := inject(t, p, jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, all)); !cmp.Equal(h, again) {
		t.Error("not the same items again")
	}
	prefixed := 0
	for k := range h {
		if strings.HasPrefix(k, "Uberctx-") {
			prefixed++
		}
	}
	if prefixed != len(members) {
		t.Errorf("%d uberctx- headers, %d members", prefixed, len(members))
	}
	if got := p.Stats().BaggageOverLimit; got != uint64(2*(len(all)-len(members))) {
		t.Errorf("%d counted over the limit", got)
	}
}

// TestBaggageOfManyLines reads what several proxies have added in lines of their own, from every kind of carrier.
func TestBaggageOfManyLines(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	h := headers("traceparent", someTraceparent, "baggage", "a=1", "baggage", "b=2", "baggage", "c=3", "baggage", "d=4")
	for _, in := range []any{h, opentracing.HTTPHeadersCarrier(h), asMulti(h), asForeign(h)} {
		t.Run(fmt.Sprintf("%T", in), func(t *testing.T) {
			sc, err := p.Extract(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(items{"a": "1", "b": "2", "c": "3", "d": "4"}, baggageOf(sc)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
