package carrier_test

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

// debugRequests are headers that request debug, one pair for each format that can.
var debugRequests = [][]string{
	{"uber-trace-id", "1:2:0:3"},
	{"b3", "1-2-d"},
	{"x-b3-traceid", "1", "x-b3-spanid", "2", "x-b3-flags", "1"},
	{"traceparent", "00-00000000000000000000000000000001-0000000000000002-01", "uber-trace-id", "1:2:0:3"},
	{"jaeger-debug-id", "look-here"},
	{"b3", "d"},
	{"x-b3-flags", "1"},
}

// spanOf is the server's span of a request with these headers.
func spanOf(t testing.TB, tracer opentracing.Tracer, pairs ...string) jaeger.SpanContext {
	remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers(pairs...)))
	var opts []opentracing.StartSpanOption
	if err == nil {
		opts = append(opts, opentracing.ChildOf(remote))
	}
	return testspans.Start(t, tracer, "request", opts...).Context().(jaeger.SpanContext)
}

func TestDebugFlagsAreObeyedOnlyByPolicy(t *testing.T) {
	for _, pairs := range debugRequests {
		t.Run(strings.Join(pairs, " "), func(t *testing.T) {
			for policy, want := range map[carrier.DebugPolicy]bool{carrier.IgnoreDebug(): false, {}: false, carrier.AllowDebug(): true, carrier.LimitDebug(1): true} {
				tracer, p := newTracer(t, carrier.Config{Debug: policy})
				sc := spanOf(t, tracer, append(pairs, "baggage", "userId=1")...)
				if sc.IsDebug() != want || !sc.IsSampled() {
					t.Errorf("%q, debug %v: %v", pairs, policy, sc)
				}
				if diff := cmp.Diff(items{"userId": "1"}, baggageOf(sc)); diff != "" {
					t.Errorf("%q, debug %v: %s", pairs, policy, diff)
				}
				if got := p.Stats().DebugIgnored > 0; got == want {
					t.Errorf("%q, debug %v: %+v", pairs, policy, p.Stats())
				}
			}
		})
	}
}

func TestDebugTracesAreLimitedBySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPropagator(t, carrier.Config{Debug: carrier.LimitDebug(3)})
		burst := func() (n int) {
			for i := range 10 {
				if sc, err := p.Extract(headers(debugRequests[i%4]...)); err == nil && sc.IsDebug() {
					n++
				}
				if _, err := p.Extract(headers("jaeger-debug-id", "x")); err == nil {
					n++
				}
			}
			return n
		}
		if got := burst(); got != 3 {
			t.Errorf("%d at first", got)
		}
		if got := burst(); got != 0 {
			t.Errorf("%d right after", got)
		}
		time.Sleep(time.Second) // of the bubble
		if got := burst(); got != 3 {
			t.Errorf("%d a second later", got)
		}
		if got := p.Stats().DebugIgnored; got != 60-6 {
			t.Errorf("%d counted", got)
		}
	})
}

func TestDebugID(t *testing.T) {
	for _, c := range []struct {
		id  string
		max int
		ok  bool
	}{
		{"look-here", 0, true},
		{strings.Repeat("x", 64), 0, true},
		{strings.Repeat("x", 65), 0, false},
		{strings.Repeat("x", 5), 4, false},
		{"x", -1, false},
		{"é", 0, false},
		{"a\x00", 0, false},
	} {
		t.Run(c.id, func(t *testing.T) {
			p := newPropagator(t, carrier.Config{Debug: carrier.AllowDebug(), Limits: carrier.Limits{DebugID: c.max}})
			if _, err := p.Extract(headers("jaeger-debug-id", c.id)); (err == nil) != c.ok {
				t.Errorf("%q: %v", c.id, err)
			}
		})
	}
}

// Contexts with only a debug id or only baggage have the same methods as any other, and can be injected.
func TestContextsWithoutIDs(t *testing.T) {
	p := newPropagator(t, carrier.Config{Debug: carrier.AllowDebug()})
	for _, pairs := range [][]string{{"jaeger-debug-id", "look-here"}, {"baggage", "a=1;p"}, {"jaeger-debug-id", "x", "baggage", "a=1;p"}} {
		t.Run(strings.Join(pairs, " "), func(t *testing.T) {
			in := headers(pairs...)
			sc := extract(t, p, in)
			if sc.IsValid() || sc.IsSampled() || sc.IsDebug() || sc.Flags() != 0 {
				t.Errorf("%q: %v", pairs, sc)
			}
			out := inject(t, p, sc)
			delete(out, "Uberctx-A")
			if diff := cmp.Diff(in, out); diff != "" {
				t.Errorf("%q: %s", pairs, diff)
			}
		})
	}
	stock := jaeger.NewTextMapPropagator((&jaeger.HeadersConfig{}).ApplyDefaults(), *jaeger.NewNullMetrics())
	sc, err := stock.Extract(opentracing.TextMapCarrier{"jaeger-debug-id": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if h := inject(t, p, sc); len(h) != 0 || p.TraceState(sc) != "" {
		t.Errorf("a stock context with a debug id: sent %v", h)
	}
}

func TestAWrongConfigIsAnError(t *testing.T) {
	for want, c := range map[string]carrier.Config{
		"unknown format 9; unknown baggage style 7": {Extract: []carrier.Format{9}, Baggage: carrier.Baggage{Styles: []carrier.BaggageStyle{7}}},
		"unknown format 4":                          {Inject: []carrier.Format{4}},
		"Baggage.MaxItems is 65, more than 64":      {Baggage: carrier.Baggage{MaxItems: 65}},
		"Baggage.MaxBytes is 8193, more than 8192":  {Baggage: carrier.Baggage{MaxBytes: 8193}},
		"Limits.TraceState is 9000, more than 8192": {Limits: carrier.Limits{TraceState: 9000}},
		"Limits.DebugID is 65, more than 64":        {Limits: carrier.Limits{DebugID: 65}},
		"debug rate -1 is not positive":             {Debug: carrier.LimitDebug(-1)},
		"debug rate NaN is not positive":            {Debug: carrier.LimitDebug(math.NaN())},
	} {
		t.Run(want, func(t *testing.T) {
			if _, err := carrier.New(c); err == nil || err.Error() != "carrier: "+want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestNoFormatsReadAndWriteNothing(t *testing.T) {
	none := []carrier.Format{}
	p := newPropagator(t, carrier.Config{Extract: none, Inject: none})
	if got := describe(p.Extract(headers("traceparent", someTraceparent, "baggage", "a=1", "uberctx-a", "1"))); got != notFound {
		t.Errorf("extracted %s", got)
	}
	h := headers("traceparent", someTraceparent)
	if err := p.Inject(jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, items{"a": "1"}), h); err != nil || len(h) != 1 || h.Get("traceparent") != someTraceparent {
		t.Errorf("injected %v, %v", h, err)
	}
}

func TestStatsNameFormatsInJSON(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	_, _ = p.Extract(http.Header{"B3": {"not one"}})
	text, err := json.Marshal(p.Stats().Malformed)
	if want := `{"b3":1,"b3multi":0,"jaeger":0,"tracecontext":0}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestListsOfFormatsAreRead(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []carrier.Format
		err  string
	}{
		{"", nil, ""},
		{" ", nil, ""},
		{"none", []carrier.Format{}, ""},
		{"tracecontext,baggage", []carrier.Format{carrier.W3C}, ""},
		{" Jaeger , b3,B3MULTI,w3c,jaeger,", []carrier.Format{carrier.Jaeger, carrier.B3, carrier.B3Multi, carrier.W3C}, ""},
		{"xray,b3,ottrace", []carrier.Format{carrier.B3}, `carrier: unknown propagation format "xray", "ottrace"; known are tracecontext, w3c, jaeger, b3, b3single, b3multi, baggage, none`},
	} {
		t.Run("list "+c.in, func(t *testing.T) {
			got, err := carrier.Parse(c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q: %s", c.in, diff)
			}
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("%q: %v", c.in, err)
			}
		})
	}
	for _, f := range allFormats {
		t.Run(f.String(), func(t *testing.T) {
			if got, err := carrier.Parse(f.String()); err != nil || len(got) != 1 || got[0] != f {
				t.Errorf("%v: %v, %v", f, got, err)
			}
		})
	}
}

func TestStatsSurviveJSON(t *testing.T) {
	text, err := json.Marshal(newPropagator(t, carrier.Config{}).Stats())
	if err != nil {
		t.Fatal(err)
	}
	var back carrier.Stats
	if err := json.Unmarshal(text, &back); err != nil || len(back.Extracted) != 4 {
		t.Errorf("%v after a round trip of %s: %v", back.Extracted, text, err)
	}
	var f carrier.Format
	for _, bad := range []string{`"xray"`, `"b3,jaeger"`, `"none"`, `""`, `3`} {
		t.Run(bad, func(t *testing.T) {
			if err := json.Unmarshal([]byte(bad), &f); err == nil {
				t.Errorf("%s is a format", bad)
			}
		})
	}
}
