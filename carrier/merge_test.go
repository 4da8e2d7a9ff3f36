package carrier_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
)

// withBaggage is a span's context with items.
func withBaggage(all items) jaeger.SpanContext {
	return jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, all)
}

// TestInjectMergesBaggage keeps what the application wrote in a baggage header, in every kind of carrier.
func TestInjectMergesBaggage(t *testing.T) {
	for _, c := range []struct {
		name   string
		theirs []string
		ours   items
		want   []string
	}{
		{"nothing of ours", []string{"routingKey=canary"}, nil, []string{"routingKey=canary"}},
		{"both", []string{"routingKey=canary"}, items{"user": "1"}, []string{"routingKey=canary,user=1"}},
		{"the span's item wins", []string{"a=1;p,user=old;q, b=2"}, items{"user": "1"}, []string{"a=1;p, b=2,user=1"}},
		{"keys are case-sensitive", []string{"User=old"}, items{"user": "1"}, []string{"User=old,user=1"}},
		{"two lines", []string{"a=1", "b=2"}, items{"c": "3"}, []string{"a=1,b=2,c=3"}},
		{"a line that does not parse", []string{"not baggage, at all", "b=2"}, items{"c": "3"}, []string{"not baggage, at all", "b=2,c=3"}},
		{"no line parses", []string{"a b=1"}, items{"c": "3"}, []string{"a b=1", "c=3"}},
		{"only that does not parse", []string{"a b=1"}, nil, []string{"a b=1"}},
		{"all replaced", []string{"c=1,c=2"}, items{"c": "3"}, []string{"c=3"}},
		{"an empty line", []string{""}, items{"c": "3"}, []string{"c=3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			h := http.Header{"Baggage": c.theirs}
			before := append([]string(nil), c.theirs...)
			md := carrier.Multi(metadata.MD{"baggage": append([]string(nil), c.theirs...)})
			text := opentracing.TextMapCarrier{"baggage": strings.Join(c.theirs, ",")}
			list := &foreign{[]string{"baggage", strings.Join(c.theirs, ",")}}
			for range 2 { // the second time over what the first one wrote
				for _, target := range []any{h, md, text, list} {
					if err := p.Inject(withBaggage(c.ours), target); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(c.want, h["Baggage"]); diff != "" {
					t.Errorf("http.Header: %s", diff)
				}
				if diff := cmp.Diff(c.want, md["baggage"]); diff != "" {
					t.Errorf("Multi: %s", diff)
				}
				if got, want := text["baggage"], strings.Join(c.want, ","); got != want {
					t.Errorf("TextMapCarrier: %q, want %q", got, want)
				}
			}
			if diff := cmp.Diff(before, c.theirs); diff != "" {
				t.Errorf("the caller's list changed: %s", diff)
			}
		})
	}
}

// TestInjectMergesInWriters reads a writer that is a reader, too.
func TestInjectMergesInWriters(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	table := carrier.Table{"baggage": "a=1", "traceparent": "stale", "x-b3-traceid": "9", "count": 7}
	if err := p.Inject(withBaggage(items{"user": "1"}), table); err != nil {
		t.Fatal(err)
	}
	if table["baggage"] != "a=1,user=1" || table["count"] != 7 || table["x-b3-traceid"] != nil || table["traceparent"] == "stale" {
		t.Errorf("%v", table)
	}
}

// TestInjectKeepsPrefixedBaggage keeps items of others that have a key each. Ours replaces one with the same key in
// any spelling.
func TestInjectKeepsPrefixedBaggage(t *testing.T) {
	styles := []carrier.BaggageStyle{carrier.JaegerBaggage, carrier.PrefixBaggage}
	p := newPropagator(t, carrier.Config{Baggage: carrier.Baggage{Styles: styles}})
	h := http.Header{"Uberctx-Theirs": {"1"}, "UBERCTX-USER": {"old"}, "Baggage-Theirs": {"2"}, "baggage-user": {"old"}, "Jaeger-Baggage": {"k=v"}, "Baggage": {"w3c=1"}}
	if err := p.Inject(withBaggage(items{"user": "me"}), h); err != nil {
		t.Fatal(err)
	}
	for k := range h {
		if k == "Traceparent" || k == "Uber-Trace-Id" {
			delete(h, k)
		}
	}
	want := http.Header{
		"Uberctx-Theirs": {"1"}, "Uberctx-User": {"me"}, "Baggage-Theirs": {"2"}, "Baggage-User": {"me"}, "Jaeger-Baggage": {"k=v"},
		"Baggage": {"w3c=1"}, // a style that is off
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

// sent is the size of all baggage in h, as it is on the wire without separators.
func sent(h http.Header) (bytes, members int) {
	for k, vs := range h {
		lower := strings.ToLower(k)
		for _, v := range vs {
			switch {
			case lower == "baggage":
				bytes += len(v)
				members = max(members, strings.Count(v, ",")+1)
			case strings.HasPrefix(lower, "uberctx-"), strings.HasPrefix(lower, "baggage-"):
				bytes += len(k) + len(v)
			}
		}
	}
	return bytes, members
}

// many are n items of so many bytes each, as W3C baggage writes them.
func many(n, size int) items {
	all := items{}
	for i := range n {
		all[fmt.Sprintf("k%02d", i)] = strings.Repeat("x", size-5)
	}
	return all
}

// sentOf counts the items of ours that a header holds in any style.
func sentOf(ours items, h http.Header) (n int) {
	for key := range ours {
		if strings.Contains(h.Get("Baggage"), key+"=x") || h.Get("Uberctx-"+key) != "" || h.Get("Baggage-"+key) != "" {
			n++
		}
	}
	return n
}

// TestAllStylesShareOneBudget bounds what is sent in all styles together, beside what the application wrote.
func TestAllStylesShareOneBudget(t *testing.T) {
	all := []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage, carrier.PrefixBaggage}
	for _, c := range []struct {
		name      string
		baggage   carrier.Baggage
		theirs    string
		ours      items
		wantOurs  int
		oneStyle  uint64
		overLimit uint64
	}{
		{"64 of 120 bytes", carrier.Baggage{}, "", many(64, 120), 64, 1, 0},
		{"64 of 40 bytes", carrier.Baggage{}, "", many(64, 40), 64, 0, 0},
		{"64 of 40 bytes in three styles", carrier.Baggage{Styles: all}, "", many(64, 40), 64, 1, 0},
		{"without W3C", carrier.Baggage{Styles: all[1:]}, "", many(64, 70), 64, 1, 0},
		{"items of others come first", carrier.Baggage{MaxItems: 3}, "a=1,b=2", many(3, 10), 1, 0, 2},
		{"and their bytes", carrier.Baggage{MaxBytes: 50}, "a=" + strings.Repeat("y", 28), many(3, 10), 1, 1, 2},
		{"even above the limit", carrier.Baggage{MaxBytes: 20}, "a=" + strings.Repeat("y", 48), many(3, 10), 0, 0, 3},
		{"what ours replaces is free", carrier.Baggage{MaxItems: 2}, "k00=1,k01=2", many(2, 10), 2, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{Baggage: c.baggage})
			h := http.Header{}
			if c.theirs != "" {
				h.Set("Baggage", c.theirs)
			}
			if err := p.Inject(withBaggage(c.ours), h); err != nil {
				t.Fatal(err)
			}
			if got := sentOf(c.ours, h); got != c.wantOurs {
				t.Errorf("%d of ours sent, want %d: %v", got, c.wantOurs, h)
			}
			limit := c.baggage.MaxBytes
			if limit == 0 {
				limit = 8192
			}
			if bytes, members := sent(h); bytes > max(limit, len(c.theirs)) || members > 64 {
				t.Errorf("%d bytes, %d members", bytes, members)
			}
			if c.theirs != "" && !strings.HasPrefix(h.Get("Baggage"), strings.Split(c.theirs, ",")[0]) && !strings.HasPrefix(c.theirs, "k") {
				t.Errorf("the application's own are lost: %v", h["Baggage"])
			}
			if s := p.Stats(); s.BaggageOneStyle != c.oneStyle || s.BaggageOverLimit != c.overLimit {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestLawfulOctetsAreNotEscaped sends 64 items of slashes in the bytes that they came in.
func TestLawfulOctetsAreNotEscaped(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	var line strings.Builder
	for i := range 64 {
		fmt.Fprintf(&line, ",k%02d=%s", i, strings.Repeat("/", 123))
	}
	in := headers("traceparent", someTraceparent, "baggage", line.String()[1:])
	if got := inject(t, p, extract(t, p, in)).Get("baggage"); got != in.Get("baggage") {
		t.Errorf("%d members of 64 leave", strings.Count(got, ",")+1)
	}
	octets := ""
	for c := byte(0x21); c <= 0x7e; c++ {
		if !strings.ContainsRune("\",;\\%+", rune(c)) {
			octets += string(c)
		}
	}
	got := inject(t, p, withBaggage(items{"k": octets + "%+\" \\,;é\xff"})).Get("baggage")
	if want := "k=" + octets + "%25%2B%22%20%5C%2C%3B%C3%A9%EF%BF%BD"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// TestStylesFromEveryCarrier reads a style that is on beside any parent, or none, from every carrier, with one
// result.
func TestStylesFromEveryCarrier(t *testing.T) {
	styles := []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage, carrier.PrefixBaggage}
	baggage := []string{"baggage", "w=1", "uberctx-Tenant", "a%20b", "baggage-user", "a%20b", "jaeger-baggage", "j=1"}
	parents := map[string][]string{
		"none": nil, "W3C": {"traceparent", someTraceparent}, "Jaeger": {"uber-trace-id", someUberTraceID}, "B3": {"b3", someB3},
		"B3 multi": {"x-b3-traceid", someTrace, "x-b3-spanid", someSpan, "x-b3-sampled", "1"},
	}
	for name, parent := range parents {
		t.Run(name, func(t *testing.T) {
			for config, want := range map[*carrier.Config]items{
				{Baggage: carrier.Baggage{Styles: styles}}: {"w": "1", "tenant": "a b", "user": "a%20b", "j": "1"},
				{}: {"w": "1", "tenant": "a b", "j": "1"},
			} {
				p := newPropagator(t, *config)
				h := headers(append(append([]string(nil), parent...), baggage...)...)
				text := opentracing.TextMapCarrier{}
				for k, v := range asMulti(h) {
					text[k] = v[0]
				}
				for _, in := range []any{h, opentracing.HTTPHeadersCarrier(h), asMulti(h), text, asForeign(h)} {
					sc, err := p.Extract(in)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, baggageOf(sc)); diff != "" {
						t.Errorf("%T: %s", in, diff)
					}
				}
			}
		})
	}
}

// TestTextMapIsPlain reads and writes values as they are in the format for messages, whatever the Go type.
func TestTextMapIsPlain(t *testing.T) {
	const value = "a+b/c== 100% é\n"
	for key, style := range map[string]carrier.BaggageStyle{"uberctx-token": carrier.JaegerBaggage, "baggage-token": carrier.PrefixBaggage} {
		tracer, _ := newTracer(t, carrier.Config{Baggage: carrier.Baggage{Styles: []carrier.BaggageStyle{style}}})
		for name, target := range targets() {
			if target.format != opentracing.TextMap {
				continue
			}
			t.Run(key+" in "+name, func(t *testing.T) {
				c := target.make()
				if err := tracer.Inject(withBaggage(items{"token": value}), opentracing.TextMap, c); err != nil {
					t.Fatal(err)
				}
				plain := false
				for k, vs := range flat(c) {
					plain = plain || strings.EqualFold(k, key) && vs[0] == value
				}
				out, err := tracer.Extract(opentracing.TextMap, c)
				if err != nil {
					t.Fatal(err)
				}
				if got := baggageOf(out)["token"]; got != value || !plain {
					t.Errorf("%q of %v", got, c)
				}
			})
		}
	}
}

// TestPropertiesAreCheckedOneByOne trims properties and drops those that are malformed, not the item.
func TestPropertiesAreCheckedOneByOne(t *testing.T) {
	for in, want := range map[string]string{
		"a=1;p": "a=1;p", "a=1 ;\tp = 1 ; q": "a=1;p=1;q", "a=1;;p": "a=1;p", "a=1;b c;q": "a=1;q", "a=1;\x01": "a=1", "a=1;p=\"x\";q=%20": "a=1;q=%20",
	} {
		t.Run(in, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{})
			sc := extract(t, p, http.Header{"Traceparent": {someTraceparent}, "Baggage": {in}})
			if got := inject(t, p, sc).Get("baggage"); got != want {
				t.Errorf("%q: sent %q, want %q", in, got, want)
			}
			malformed := strings.ContainsAny(in, "\x01\"") || strings.Contains(in, "b c")
			if got := p.Stats().BaggageProperty; (got == 1) != malformed {
				t.Errorf("%q: %d counted", in, got)
			}
		})
	}
}
