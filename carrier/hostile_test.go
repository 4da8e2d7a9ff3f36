package carrier_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
)

const maxAllocated = 32 << 10

// allocated returns how many bytes f allocates: the least of some runs, as others may allocate meanwhile.
func allocated(f func()) uint64 {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

var managedKeys = []string{
	"traceparent", "tracestate", "baggage", "uber-trace-id", "uberctx-a", "uberctx-", "jaeger-debug-id", "jaeger-baggage",
	"b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
}

// hostileValues are by name, as some are a megabyte.
var hostileValues = map[string]string{
	"1 MiB of :": strings.Repeat(":", 1<<20), "1 MiB of ,": strings.Repeat(",", 1<<20), "1 MiB of %": strings.Repeat("%", 1<<20),
	"1 MiB of =": strings.Repeat("=", 1<<20), "1 MiB of ;": strings.Repeat(";", 1<<20), "1 MiB of -": strings.Repeat("-", 1<<20),
	"1 MiB of 0": strings.Repeat("0", 1<<20), "1 MiB of NUL": strings.Repeat("\x00", 1<<20), "1 MiB of blanks": strings.Repeat(" ", 1<<20),
	"1 MiB of a=b,": strings.Repeat("a=b,", 1<<18), "1 MiB of %41": strings.Repeat("%41", 1<<20/3), "1 MiB of é": strings.Repeat("é", 1<<19),
	"1 MiB of a=%41;p,": strings.Repeat("a=%41;p,", 1<<17), "8 KiB of a;p": strings.Repeat("a=;p,", 1638),
	"8 KiB of ,": strings.Repeat(",", 8192), "8 KiB of a=b,": strings.Repeat("a=b,", 2048), "8 KiB of %": "a=" + strings.Repeat("%", 8190),
	"8 KiB of a=%41": "a=" + strings.Repeat("%41", 2730), "8 KiB of ;": "a=b" + strings.Repeat(";", 8180), "8 KiB of blanks": "a=b," + strings.Repeat(" ,", 4000),
	"empty": "", "NUL": "\x00", "blank": " ", "not ASCII": "é", "not UTF-8": "\xff\xfe", "line break": "a=b\r\nx: y",
	"truncated W3C": someTraceparent[:54], "truncated Jaeger": someUberTraceID[:40], "truncated B3": someB3[:33], "truncated escape": "a=%4",
	"W3C": someTraceparent, "Jaeger": someUberTraceID, "B3": someB3,
}

// hostilePropagators returns configurations that do all they can with what comes in.
func hostilePropagators(t testing.TB) map[string]*carrier.Propagator {
	return map[string]*carrier.Propagator{
		"default": newPropagator(t, carrier.Config{}),
		"open":    newPropagator(t, carrier.Config{Inject: allFormats, Debug: carrier.AllowDebug()}),
	}
}

// serve is what a service does with a request's headers. The request goes on whatever they hold.
func serve(p *carrier.Propagator, in any) {
	sc, err := p.Extract(in)
	if err == nil {
		p.TraceState(sc)
	}
}

func TestHostileHeadersTakeLittleMemory(t *testing.T) {
	for name, p := range hostilePropagators(t) {
		t.Run(name, func(t *testing.T) {
			for label, value := range hostileValues {
				t.Run(label, func(t *testing.T) {
					for _, key := range managedKeys {
						requests := []http.Header{
							{http.CanonicalHeaderKey(key): {value}},
							{http.CanonicalHeaderKey(key): {value, value}, "Accept": {"x"}},
							{strings.ToUpper(key): {value}, "Traceparent": {someTraceparent}},
							{http.CanonicalHeaderKey(key): {value}, "Traceparent": {someTraceparent}, "Uber-Trace-Id": {someUberTraceID}, "B3": {someB3}},
						}
						for i, h := range requests {
							if got := allocated(func() { serve(p, h) }); got > maxAllocated {
								t.Errorf("request %d with %s in %s: %d bytes", i, label, key, got)
							}
						}
					}
				})
			}
		})
	}
}

func TestCrowdsOfHeadersTakeLittleMemory(t *testing.T) {
	crowd := func(value func(i int) (string, string)) http.Header {
		h := http.Header{"Uber-Trace-Id": {someUberTraceID}}
		for i := range 5000 {
			k, v := value(i)
			h[k] = append(h[k], v)
		}
		return h
	}
	long := strings.Repeat("V%41", 30)
	for name, h := range map[string]http.Header{
		"uberctx":                crowd(func(i int) (string, string) { return fmt.Sprintf("Uberctx-Key%d", i), "v" }),
		"uberctx long":           crowd(func(i int) (string, string) { return fmt.Sprintf("Uberctx-Key%d", i), long }),
		"uberctx long keys":      crowd(func(i int) (string, string) { return fmt.Sprintf("Uberctx-%0128d", i), "v" }),
		"uberctx in any case":    crowd(func(i int) (string, string) { return fmt.Sprintf("UBERCTX-%d", i), "v" }),
		"one uberctx":            crowd(func(i int) (string, string) { return "Uberctx-Key", long }),
		"baggage":                crowd(func(i int) (string, string) { return "Baggage", fmt.Sprintf("key%d=v;p=%d", i, i) }),
		"baggage long":           crowd(func(i int) (string, string) { return "Baggage", fmt.Sprintf("key%d=%s;p", i, long) }),
		"jaeger-baggage":         crowd(func(i int) (string, string) { return "Jaeger-Baggage", fmt.Sprintf("key%d=%%41", i) }),
		"jaeger-baggage denied":  crowd(func(i int) (string, string) { return "Jaeger-Baggage", strings.Repeat("%41", 2000) }),
		"tracestate":             crowd(func(i int) (string, string) { return "Tracestate", fmt.Sprintf("k%d=v", i) }),
		"traceparent":            crowd(func(i int) (string, string) { return "Traceparent", someTraceparent }),
		"traceparent in 11 ways": crowd(func(i int) (string, string) { return spell("traceparent", i), someTraceparent }),
		"baggage in many ways":   crowd(func(i int) (string, string) { return spell("baggage", i), long }),
		"x-b3-traceid":           crowd(func(i int) (string, string) { return "X-B3-Traceid", "1" }),
	} {
		t.Run(name, func(t *testing.T) {
			for _, lead := range []string{"", "Traceparent"} {
				t.Run(cmp.Or(lead, "no lead"), func(t *testing.T) {
					h := h.Clone()
					if lead != "" {
						h[lead] = []string{someTraceparent}
						h["Tracestate"] = append(h["Tracestate"], "a=b , c=d")
					} else {
						delete(h, "Uber-Trace-Id")
					}
					for config, p := range hostilePropagators(t) {
						for _, in := range []any{h, asMulti(h), asForeign(h)} {
							if got := allocated(func() { serve(p, in) }); got > maxAllocated {
								t.Errorf("%s %q %s %T: %d bytes", name, lead, config, in, got)
							}
						}
					}
				})
			}
		})
	}
}

// spell returns key with the upper-case letters that the bits of n say.
func spell(key string, n int) string {
	b := []byte(key)
	for i := range b {
		if n>>i&1 == 1 && b[i] >= 'a' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// The most that the limits admit, in all parts at once.
func TestAllLimitsAtOnceTakeLittleMemory(t *testing.T) {
	var w3c, state strings.Builder
	for i := range 48 {
		fmt.Fprintf(&w3c, ",key%d=%s;property=%d", i, strings.Repeat("%41", 28), i)
	}
	for i := range 32 {
		fmt.Fprintf(&state, " , key%d=%s", i, strings.Repeat("v", 230))
	}
	pairs := []string{"traceparent", "00-" + longTrace + "-0000000000000007-03", "uber-trace-id", longTrace + ":7:6:3", "tracestate", state.String(), "baggage", w3c.String()[1:]}
	for i := range 64 {
		pairs = append(pairs, fmt.Sprintf("uberctx-other%d", i), strings.Repeat("%41", 30))
	}
	h := headers(append(pairs, "jaeger-baggage", strings.Repeat("x%3d1,", 300))...)
	for name, p := range hostilePropagators(t) {
		t.Run(name, func(t *testing.T) {
			for _, in := range []any{h, asMulti(h), asForeign(h)} {
				if got := allocated(func() { serve(p, in) }); got > maxAllocated {
					t.Errorf("%s %T: %d bytes", name, in, got)
				}
			}
			sc := extract(t, p, h)
			if n := len(baggageOf(sc)); n < 48 || n > 64 || len(p.TraceState(sc)) < 7000 {
				t.Errorf("%d items, %d bytes of tracestate", n, len(p.TraceState(sc)))
			}
		})
	}
}

// What came within the limits costs no more on the way out, though every byte of it may have to be escaped.
func TestHostileBaggagePassedOn(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	crowd := http.Header{"Uber-Trace-Id": {someUberTraceID}}
	var w3c strings.Builder
	for i := range 64 {
		crowd.Set(fmt.Sprintf("Uberctx-Key%d", i), strings.Repeat("\"", 110))
		fmt.Fprintf(&w3c, "key%d=%s,", i, strings.Repeat("\"", 110))
	}
	for name, in := range map[string]http.Header{
		"uberctx": crowd, "baggage": headers("traceparent", someTraceparent, "baggage", w3c.String()),
		"one item": headers("traceparent", someTraceparent, "baggage", "a="+strings.Repeat("\"", 8000)),
	} {
		t.Run(name, func(t *testing.T) {
			sc := extract(t, p, in)
			out := make(http.Header, 128) // the caller's
			if got := allocated(func() { p.Inject(sc, out) }); got > maxAllocated {
				t.Errorf("%s: %d bytes", name, got)
			}
		})
	}
}

// A proxy copies the headers of a hostile request to the one that it sends, and injects. The map and the lists in it
// are the proxy's own.
func TestHostileHeadersProxied(t *testing.T) {
	strict := newPropagator(t, carrier.Config{Baggage: notRole})
	propagators := hostilePropagators(t)
	propagators["strict"] = strict
	many := make([]string, 5000)
	for i := range many {
		many[i] = "role=v"
	}
	lists := map[string][]string{"5000 lines": many}
	for label, value := range hostileValues {
		lists[label] = []string{value}
	}
	for name, p := range propagators {
		for label, list := range lists {
			for _, key := range []string{"Baggage", "BAGGAGE", "Jaeger-Baggage", "Uberctx-Role", "Baggage-Role", "B3", "X-B3-Traceid", "Tracestate"} {
				in := http.Header{"Traceparent": {someTraceparent}, key: list}
				sc := extract(t, p, in).WithBaggageItem("user", "me")
				outs := make([]http.Header, 5) // one for each run of allocated
				for i := range outs {
					outs[i] = in.Clone()
				}
				if got := allocated(func() { _ = p.Inject(sc, outs[0]); outs = outs[1:] }); got > maxAllocated {
					t.Errorf("%s: %s in %s: %d bytes", name, label, key, got)
				}
			}
		}
	}
}

func TestHostileBinaryCarriersTakeLittleMemory(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	head := append(bytes.Repeat([]byte{1}, 33), 0, 0, 0, 0)
	with := func(tail ...byte) []byte { return append(head[:33:33], tail...) }
	tooMany := with(0, 0, 0, 181)
	for i := range 181 {
		tooMany = append(tooMany, 0, 0, 0, 1, 'a'+byte(i%26), 0, 0, 0, 0)
	}
	for name, b := range map[string][]byte{
		"181 whole items": tooMany, "empty": nil, "short": head[:36], "items missing": with(0, 0, 0, 1), "2^31 items": with(0x7f, 0xff, 0xff, 0xff), "-1 items": with(0xff, 0xff, 0xff, 0xff),
		"key of 2^29": with(0, 0, 0, 1, 0x20, 0, 0, 0), "key of -1": with(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff), "181 items": with(0, 0, 0, 181),
		"value of 2^31": with(0, 0, 0, 1, 0, 0, 0, 1, 'a', 0x7f, 0xff, 0xff, 0xff), "key and value of 4097": with(0, 0, 0, 1, 0, 0, 0, 1, 'a', 0, 0, 0x10, 0),
		"zeros": make([]byte, 37),
	} {
		t.Run(name, func(t *testing.T) {
			got := allocated(func() {
				if _, err := tracer.Extract(opentracing.Binary, bytes.NewReader(b)); err == nil {
					t.Errorf("%s: no error", name)
				}
			})
			if got > maxAllocated {
				t.Errorf("%s: %d bytes", name, got)
			}
		})
	}
	full := with(0, 0, 0, 180)
	for i := range 180 {
		full = append(full, 0, 0, 0, 4, 'k', byte('a'+i/26), byte('a'+i%26), 'k', 0, 0, 15, 0xf0)
		full = append(full, make([]byte, 0xff0)...)
	}
	in := bytes.NewReader(full)
	if got := allocated(func() {
		in.Reset(full)
		remote, err := tracer.Extract(opentracing.Binary, in)
		if err != nil || len(baggageOf(remote)) != 2 || in.Len() != 0 {
			t.Errorf("180 items of 4 KiB: %d items, %d bytes left, %v", len(baggageOf(remote)), in.Len(), err)
		}
	}); got > maxAllocated {
		t.Errorf("180 items of 4 KiB: %d bytes", got)
	}
}
