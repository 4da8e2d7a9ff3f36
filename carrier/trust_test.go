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

// proxied returns what a proxy sends that copies the headers that came in and injects a span of the same trace.
func proxied(t *testing.T, p *carrier.Propagator, in http.Header, more func(http.Header)) http.Header {
	t.Helper()
	tracer, closer := jaeger.NewTracer("proxy", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), append(p.TracerOptions(), testspans.Finished(t))...)
	defer closer.Close()
	var parent opentracing.StartSpanOption = opentracing.Tags{}
	if remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(in)); err == nil {
		parent = opentracing.ChildOf(remote)
	}
	span := testspans.Start(t, tracer, "proxy", parent)
	out := in.Clone()
	if more != nil {
		more(out)
	}
	if err := tracer.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out)); err != nil {
		t.Fatal(err)
	}
	return out
}

// notRole refuses the key role.
var notRole = carrier.Baggage{
	Styles: []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage, carrier.PrefixBaggage},
	Allow:  func(key string) bool { return key != "role" },
}

// TestRefusedBaggageIsNotMergedBack sends none of what Allow refused when a proxy copies the headers, in any style.
func TestRefusedBaggageIsNotMergedBack(t *testing.T) {
	long := make([]string, 70)
	for i := range long {
		long[i] = fmt.Sprintf("k%d=v", i)
	}
	for _, pairs := range [][]string{
		{"baggage", "role=admin,a=1"},
		{"baggage", "a=1 , role=admin ;p=1"},
		{"baggage", "a=1", "baggage", "role=admin"},
		{"baggage", "role=ad\x01min,a=1"},
		{"baggage", "role=%zz,a=1"},
		{"baggage", "role=admin,no baggage,a=1"},
		{"baggage", strings.Join(long, ",") + ",role=admin,a=1"},
		{"baggage", "role=" + strings.Repeat("x", 9000) + ",a=1"},
		{"uberctx-role", "admin", "baggage", "a=1"},
		{"baggage-role", "admin", "baggage", "a=1"},
		{"jaeger-baggage", "role=admin,a=1"},
		{"jaeger-baggage", "role%3Dadmin,a=1"},
	} {
		t.Run(fmt.Sprintf("%.60q", pairs), func(t *testing.T) {
			p := newPropagator(t, carrier.Config{Baggage: notRole})
			in := headers(append([]string{"traceparent", someTraceparent}, pairs...)...)
			out := proxied(t, p, in, nil)
			if text := fmt.Sprint(out); strings.Contains(strings.ToLower(text), "role") {
				t.Errorf("%.60q: sent %.300s", pairs, text)
			}
			long := len(fmt.Sprint(in)) > 8192 // of which nothing is read
			if text := fmt.Sprint(out); !long && !strings.Contains(text, "a=1") && !strings.Contains(text, "Uberctx-A:[1]") {
				t.Errorf("%.60q: the item a is lost: %.300s", pairs, text)
			}
			if s := p.Stats(); s.BaggageDenied+s.BaggageMalformed+s.BaggageOverLimit == 0 {
				t.Errorf("%.60q: %+v", pairs, p.Stats())
			}
		})
	}
}

// TestOwnItemsOfARefusedKeyStay keeps what the application itself writes under a key that callers may not use.
func TestOwnItemsOfARefusedKeyStay(t *testing.T) {
	p := newPropagator(t, carrier.Config{Baggage: notRole})
	in := headers("traceparent", someTraceparent, "baggage", "role=admin")
	out := proxied(t, p, in, func(h http.Header) { h.Set("baggage", "role=reader,region=eu") })
	if got := out.Get("baggage"); got != "role=reader,region=eu" {
		t.Errorf("sent %q", got)
	}
}

// TestUntrustedBaggageIsNotMergedBack starts a root for a caller that is not trusted with anything.
func TestUntrustedBaggageIsNotMergedBack(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []string
		own  string
		want string
	}{
		{"W3C", []string{"baggage", "role=admin, a=1;p"}, "", ""},
		{"own beside it", []string{"baggage", "role=admin"}, "region=eu", "region=eu"},
		{"in other styles", []string{"uberctx-role", "admin", "jaeger-baggage", "role=admin"}, "", ""},
		{"malformed", []string{"baggage", "role=a b,\x01,,x"}, "", ""},
		{"a flood", []string{"baggage", manyItems(2000)}, "", ""},
		{"too long", []string{"baggage", "role=" + strings.Repeat("x", 9000)}, "", ""},
		{"none", nil, "region=eu", "region=eu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, _ := newTracer(t, carrier.Config{})
			in := headers(append([]string{"traceparent", someTraceparent}, c.in...)...)
			for _, incoming := range []any{opentracing.HTTPHeadersCarrier(in), asMulti(in), asForeign(in)} {
				span := testspans.Start(t, tracer, "public")
				if err := tracer.Inject(span.Context(), opentracing.HTTPHeaders, carrier.Untrusted{Carrier: incoming}); err != nil {
					t.Fatal(err)
				}
				child := testspans.Start(t, tracer, "call", opentracing.ChildOf(span.Context())).SetBaggageItem("user", "me")
				out := in.Clone()
				if c.own != "" {
					out.Add("baggage", c.own)
				}
				if err := tracer.Inject(child.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out)); err != nil {
					t.Fatal(err)
				}
				want := strings.TrimPrefix(c.want+",user=me", ",")
				if diff := cmp.Diff([]string{want}, out["Baggage"]); diff != "" {
					t.Errorf("from %T: %.500s", incoming, diff)
				}
				for _, key := range []string{"Uberctx-Role", "Jaeger-Baggage"} {
					if out[key] != nil {
						t.Errorf("from %T: sent %v", incoming, out)
					}
				}
			}
		})
	}
}

// Continue keeps properties and refusals of a caller that sent baggage without ids.
func TestContinueKeepsWhatACallerWithoutIDsSent(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{Baggage: notRole})
	in := headers("baggage", "a=1;p,role=admin")
	remote := extract(t, p, in)
	root := testspans.Start(t, tracer, "root", opentracing.ChildOf(remote)).Context().(jaeger.SpanContext)
	p.Continue(root, remote)
	out := in.Clone()
	if err := p.Inject(root, out); err != nil {
		t.Fatal(err)
	}
	if got := out.Get("baggage"); got != "a=1;p" {
		t.Errorf("sent %q", got)
	}
}

// TestContinueTakesNothingFromATrace: what came with a parent that has ids is of the parent's trace alone.
func TestContinueTakesNothingFromATrace(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	parent := extract(t, p, headers("traceparent", someTraceparent, "baggage", "a=1;p"))
	span := testspans.Start(t, tracer, "root").SetBaggageItem("a", "1")
	root := span.Context().(jaeger.SpanContext)
	p.Continue(root, parent)
	if got := p.BaggageProperties(parent, "a", "1"); got != "p" {
		t.Errorf("properties of the parent %q, want p", got)
	}
	if got := p.BaggageProperties(root, "a", "1"); got != "" {
		t.Errorf("properties %q of another trace", got)
	}
}

// TestCopiesShareNoSamplingState: a copy has all that the original brought, and a sampling state of its own.
func TestCopiesShareNoSamplingState(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{Baggage: notRole, Debug: carrier.AllowDebug()})
	for _, pairs := range [][]string{
		{"b3", someTrace + "-" + someSpan + "-d", "baggage", "a=1;p,role=admin"},
		{"traceparent", someTraceparent, "tracestate", "x=y", "uberctx-b", "2"},
		{"traceparent", "00-" + someTrace + "-" + someSpan + "-00"},
		{"baggage", "a=1"},
	} {
		t.Run(pairs[0]+" "+pairs[1], func(t *testing.T) {
			in := headers(pairs...)
			original := extract(t, p, in)
			remote, err := tracer.Extract(opentracing.HTTPHeaders, carrier.Copy{Context: original})
			if err != nil {
				t.Fatal(err)
			}
			copied := remote.(jaeger.SpanContext)
			want, got := in.Clone(), in.Clone()
			_ = p.Inject(original, want)
			_ = p.Inject(copied, got)
			if diff := cmp.Diff(want, got); diff != "" || describe(original, nil) != describe(copied, nil) {
				t.Errorf("%q: %s", pairs, diff)
			}
			if child := testspans.Start(t, tracer, "x", opentracing.ChildOf(copied)).Context().(jaeger.SpanContext); original.IsValid() &&
				(child.IsSampled() != original.IsSampled() || child.ParentID() != original.SpanID() ||
					original.IsSamplingFinalized() != original.IsDebug()) {
				t.Errorf("%q: child %v", pairs, child)
			}
		})
	}
}
