package carrier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// stale is what a proxied request brings along, in the spellings that a careless program may leave.
var stale = []string{
	"traceparent", "Traceparent", "TRACEPARENT", "tracestate", "uber-trace-id", "Uber-Trace-Id", "jaeger-debug-id", "b3", "B3", "x-b3-traceid", "X-B3-TraceId", "X-B3-Traceid", "x-b3-spanid",
	"x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
}

// strangers look like our keys but are not.
var strangers = []string{"trace-parent", "traceparentx", "uberctx", "uber-trace-idx", "b33", "x-b3", "x-b3-foo", "accept", "", "x", "x-", "jaeger-debug-i", "bagg", "uberctx-old", "jaeger-baggage"}

func TestInjectReplacesWhatIsThere(t *testing.T) {
	sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, items{"new": "v"})
	h, wrapped, md := staleCarrier(), staleCarrier(), staleCarrier()
	text, fromText := opentracing.TextMapCarrier{}, map[string][]string{}
	for k, v := range staleCarrier() {
		text[k] = v[0]
	}
	p := newPropagator(t, carrier.Config{})
	for range 2 { // the second time over what the first one wrote
		for _, c := range []any{http.Header(h), opentracing.HTTPHeadersCarrier(wrapped), carrier.Multi(md), text} {
			if err := p.Inject(sc, c); err != nil {
				t.Fatal(err)
			}
		}
		clear(fromText)
		for k, v := range text {
			fromText[k] = []string{v}
		}
		checkReplaced(t, "http.Header", h, false)
		checkReplaced(t, "HTTPHeadersCarrier", wrapped, false)
		checkReplaced(t, "Multi", md, true)
		checkReplaced(t, "TextMapCarrier", fromText, true)
	}
}

// staleCarrier has two values of every key that Inject writes, and keys that are not the kit's.
func staleCarrier() map[string][]string {
	m := map[string][]string{}
	for _, k := range stale {
		m[k] = []string{"stale", "twice"}
	}
	for _, k := range strangers {
		m[k] = []string{"kept"}
	}
	return m
}

// checkReplaced wants one value of each key that Inject writes, and nothing changed of the other keys.
func checkReplaced(t *testing.T, name string, got map[string][]string, lower bool) {
	t.Helper()
	want := items{
		"traceparent": "00-00000000000000000000000000000001-0000000000000002-01", "baggage": "new=v", "uberctx-new": "v",
		"uber-trace-id": "0000000000000001:0000000000000002:0000000000000003:1",
	}
	for _, k := range strangers {
		want[k] = "kept"
	}
	flat := items{}
	for k, v := range got {
		low := strings.ToLower(k)
		if !lower && http.CanonicalHeaderKey(k) != k && flat[low] == "" && want[low] != "kept" {
			t.Errorf("%s: key %q", name, k)
		}
		if len(v) != 1 {
			t.Errorf("%s: %s has %q", name, k, v)
		}
		flat[low] = v[0]
	}
	if diff := cmp.Diff(want, flat); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// A Propagator of one format leaves the headers of another library alone.
func TestInjectKeepsWhatItDoesNotKnow(t *testing.T) {
	p := newPropagator(t, carrier.Config{Extract: []carrier.Format{carrier.Jaeger}, Inject: []carrier.Format{carrier.Jaeger}})
	h := headers("traceparent", someTraceparent, "tracestate", "a=b", "baggage", "a=b", "b3", someB3, "uber-trace-id", "stale")
	if err := p.Inject(jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, nil), h); err != nil {
		t.Fatal(err)
	}
	want := headers("traceparent", someTraceparent, "tracestate", "a=b", "baggage", "a=b", "b3", someB3, "uber-trace-id", "0000000000000001:0000000000000002:0000000000000003:1")
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestEveryCarrierTakesEveryFormat(t *testing.T) {
	for _, f := range allFormats {
		t.Run(f.String(), func(t *testing.T) {
			for name, target := range targets() {
				t.Run(name, func(t *testing.T) {
					tracer, _ := newTracer(t, carrier.Config{Extract: []carrier.Format{f}, Inject: []carrier.Format{f}})
					for _, in := range []jaeger.SpanContext{
						jaeger.NewSpanContext(jaeger.TraceID{High: 1, Low: 2}, 3, 4, true, nil),
						jaeger.NewSpanContext(jaeger.TraceID{Low: 1<<64 - 1}, 1<<64-1, 0, false, nil),
					} {
						c := target.make()
						if err := tracer.Inject(in, target.format, c); err != nil {
							t.Fatal(err)
						}
						out, err := tracer.Extract(target.format, c)
						if err != nil {
							t.Fatalf("%v %s: %v", f, name, err)
						}
						got, want := describe(out.(jaeger.SpanContext), nil), describe(in, nil)
						if f == carrier.W3C {
							want = describe(jaeger.NewSpanContext(in.TraceID(), in.SpanID(), 0, in.IsSampled(), nil), nil)
						}
						if got != want {
							t.Errorf("%v %s: %s, want %s", f, name, got, want)
						}
					}
				})
			}
		})
	}
}

func TestKeysAreReadInEverySpelling(t *testing.T) {
	all := []string{"traceparent", someTraceparent, "tracestate", "a=b", "baggage", "c=d", "uber-trace-id", someUberTraceID, "uberctx-e", "f"}
	p := newPropagator(t, carrier.Config{})
	for name, spell := range map[string]func(string) string{"lower": strings.ToLower, "UPPER": strings.ToUpper, "Canonical": http.CanonicalHeaderKey} {
		t.Run(name, func(t *testing.T) {
			h, m, text, list := http.Header{}, carrier.Multi{}, opentracing.TextMapCarrier{}, &foreign{}
			for i := 0; i < len(all); i += 2 {
				k, v := spell(all[i]), all[i+1]
				h[k], m[k], text[k] = []string{v}, []string{v}, v
				list.Set(k, v)
			}
			for _, in := range []any{h, opentracing.HTTPHeadersCarrier(h), m, text, list} {
				t.Run(fmt.Sprintf("%T", in), func(t *testing.T) {
					sc, err := p.Extract(in)
					if err != nil {
						t.Errorf("%s %T: %v", name, in, err)
						return
					}
					if diff := cmp.Diff(items{"c": "d", "e": "f"}, baggageOf(sc)); diff != "" || p.TraceState(sc) != "a=b" || carrier.SpanID(sc) != someSpan {
						t.Errorf("%s %T: %v, tracestate %q, %s", name, in, sc, p.TraceState(sc), diff)
					}
				})
			}
		})
	}
}

func TestMultiHasLowerCaseKeys(t *testing.T) {
	m := carrier.Multi(metadata.Pairs("a", "1", "a", "2"))
	m.Set("B", "3")
	m.Set("b", "4")
	if diff := cmp.Diff(carrier.Multi{"a": {"1", "2"}, "b": {"4"}}, m); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	n := 0
	if err := m.ForeachKey(func(k, v string) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

func TestForeignReaderError(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	if _, err := p.Extract(broken{}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) ForeachKey(func(k, v string) error) error { return context.Canceled }

// Whatever the baggage holds, net/http and gRPC accept every header.
func TestInjectIsAlwaysLegal(t *testing.T) {
	bad := items{}
	for i := range 256 {
		bad["key"+string([]byte{byte(i)})] = "value" + string([]byte{byte(i)})
		bad[string([]byte{byte(i)})] = "\r\n" + string([]byte{byte(i)})
	}
	for k := range bad {
		sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, items{k: bad[k]})
		p := newPropagator(t, carrier.Config{Inject: allFormats})
		for name, target := range targets() {
			if target.format == opentracing.TextMap {
				continue
			}
			c := target.make()
			if err := p.Inject(sc, c); err != nil {
				t.Fatal(err)
			}
			for key, values := range flat(c) {
				for _, v := range values {
					if !httpguts.ValidHeaderFieldName(key) || !httpguts.ValidHeaderFieldValue(v) {
						t.Errorf("%s: net/http rejects %q: %q", name, key, v)
					}
					if target.metadata && !legalMetadata(key, v) {
						t.Errorf("%s: gRPC rejects %q: %q", name, key, v)
					}
				}
			}
		}
	}
}

// legalMetadata is the rule of https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
func legalMetadata(key, value string) bool {
	for _, c := range key {
		if !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyz-_.", c) {
			return false
		}
	}
	for _, c := range []byte(value) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

func flat(c any) map[string][]string {
	m := map[string][]string{}
	add := func(k, v string) error { m[k] = append(m[k], v); return nil }
	switch c := c.(type) {
	case http.Header:
		return c
	case opentracing.TextMapReader:
		_ = c.ForeachKey(add)
	}
	return m
}

// tracestate comes out of every call that the request makes, and is nobody's baggage.
func TestTraceStateTravels(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers("traceparent", someTraceparent, "tracestate", "a=b,c=d")))
	if err != nil {
		t.Fatal(err)
	}
	server := testspans.Start(t, tracer, "server", opentracing.ChildOf(remote))
	server.SetBaggageItem("user", "1")
	deep := testspans.Start(t, tracer, "deep", opentracing.ChildOf(testspans.Start(t, tracer, "inner", opentracing.ChildOf(server.Context())).Context()))
	for name, target := range targets() {
		t.Run(name, func(t *testing.T) {
			c := target.make()
			if err := tracer.Inject(deep.Context(), target.format, c); err != nil {
				t.Fatal(err)
			}
			found := false
			for k, v := range flat(c) {
				found = found || strings.EqualFold(k, "tracestate") && len(v) == 1 && v[0] == "a=b,c=d"
			}
			if !found {
				t.Errorf("sent %v", c)
			}
		})
	}
	sc := deep.Context().(jaeger.SpanContext)
	if p.TraceState(sc) != "a=b,c=d" {
		t.Errorf("TraceState %q", p.TraceState(sc))
	}
	if diff := cmp.Diff(items{"user": "1"}, baggageOf(sc)); diff != "" {
		t.Error(diff)
	}
	other := testspans.Start(t, tracer, "other").Context().(jaeger.SpanContext)
	if p.TraceState(other) != "" || inject(t, p, other).Get("tracestate") != "" {
		t.Error("another trace has it too")
	}
	p = newPropagator(t, carrier.Config{Limits: carrier.Limits{TraceState: 6}})
	for in, want := range map[string]string{"a=bcde": "a=bcde", "a=bcdef": ""} {
		t.Run(in, func(t *testing.T) {
			if got := p.TraceState(extract(t, p, headers("traceparent", someTraceparent, "tracestate", in))); got != want {
				t.Errorf("%s: %q", in, got)
			}
		})
	}
	if got := p.Stats().TraceStateDropped; got != 1 {
		t.Errorf("%d dropped", got)
	}
}

// Two reads of one carrier share nothing: the sampling of one request is not that of another.
func TestExtractSharesNothing(t *testing.T) {
	tracer, p := newTracer(t, carrier.Config{})
	h := headers("traceparent", someTraceparent, "tracestate", "a=b", "baggage", "a=1", "uber-trace-id", someUberTraceID, "uberctx-b", "2")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				sc := spanOf(t, tracer, "x", "y")
				remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
				if err != nil {
					t.Error(err)
					return
				}
				span := testspans.Start(t, tracer, "x", opentracing.ChildOf(remote))
				span.SetBaggageItem("a", "2")
				out := http.Header{}
				_ = p.Inject(span.Context().(jaeger.SpanContext), out)
				_ = p.Inject(sc, out)
				_, _ = p.TraceState(sc), p.Stats()
			}
		})
	}
	wg.Wait()
	if got := baggageOf(extract(t, p, h))["a"]; got != "1" {
		t.Errorf("baggage of a later request: %s", got)
	}
}

// What is passed on without a span arrives as it came.
func TestContextsWithoutASpanArePassedOnAsTheyCame(t *testing.T) {
	p := newPropagator(t, carrier.Config{Inject: allFormats, Debug: carrier.AllowDebug()})
	in := headers(
		"traceparent", "00-"+longTrace+"-0000000000000007-03", "tracestate", "a=b,c=d", "baggage", "userId=a%20b;p=1,x=y;q",
		"uber-trace-id", longTrace+":0000000000000007:0000000000000006:3", "b3", longTrace+"-0000000000000007-d-0000000000000006",
		"x-b3-traceid", longTrace, "x-b3-spanid", "0000000000000007", "x-b3-parentspanid", "0000000000000006", "x-b3-flags", "1",
		"uberctx-userid", "a%20b", "uberctx-x", "y",
	)
	if diff := cmp.Diff(in, inject(t, p, extract(t, p, in))); diff != "" {
		t.Error(diff)
	}
}
