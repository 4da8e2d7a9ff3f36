package carrier_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcmeta"
)

// recordedTraceBin is what go.opencensus.io/trace/propagation.Binary v0.24.0 writes for the trace 0af7…319c, the span
// b7ad…3331 and a sampled context; e2e compares with the library itself.
const recordedTraceBin = "\x00\x00\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c\x01\xb7\xad\x6b\x71\x69\x20\x33\x31\x02\x01"

func TestApplicationsCanAddFormats(t *testing.T) {
	config := carrier.Config{Custom: []carrier.CustomFormat{otTracer{}, grpcTraceBin{}}}
	_, p := newTracer(t, config)
	want := someTrace + ":" + someSpan + ":0:1"
	encoded := base64.StdEncoding.EncodeToString([]byte(recordedTraceBin))
	for name, in := range map[string]any{
		"metadata": carrier.Multi{"grpc-trace-bin": {recordedTraceBin}}, "header": http.Header{"Grpc-Trace-Bin": {encoded}},
		"without padding": http.Header{"Grpc-Trace-Bin": {strings.TrimRight(encoded, "=")}},
		"odd spelling":    http.Header{"GRPC-trace-bin": {encoded}}, "text map": opentracing.TextMapCarrier{"grpc-trace-bin": encoded},
		"another reader": &foreign{[]string{"Grpc-Trace-Bin", encoded}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(p.Extract(in)); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		})
	}
	sc := extract(t, p, http.Header{"Grpc-Trace-Bin": {encoded}})
	md := carrier.Multi{"grpc-trace-bin": {"stale"}, "ot-tracer-spanid": {"stale"}}
	h := http.Header{"GRPC-TRACE-BIN": {"stale"}}
	rpc := &rpcmeta.Outgoing{}
	for _, c := range []any{md, h, rpc} {
		if err := p.Inject(sc, c); err != nil {
			t.Fatal(err)
		}
	}
	if md["grpc-trace-bin"][0] != recordedTraceBin || md["ot-tracer-spanid"][0] != someSpan || !cmp.Equal(h["Grpc-Trace-Bin"], []string{strings.TrimRight(encoded, "=")}) {
		t.Errorf("sent %q and %q", md, h)
	}
	if len(h) != 6 || len(rpc.Added()) != 12 || !strings.Contains(strings.Join(rpc.Added(), " "), recordedTraceBin) {
		t.Errorf("sent %q and %q", h, rpc.Added())
	}
	if s := p.Stats(); s.Custom["grpc-trace-bin"] != 7 || s.Custom["ot-tracer"] != 0 {
		t.Errorf("%v", s.Custom)
	}
	if len(p.SpanHeaders()) != 8 {
		t.Errorf("%q", p.SpanHeaders())
	}
}

// TestCustomAfterTheOthers reads formats of one's own last; those of another trace are a conflict.
func TestCustomAfterTheOthers(t *testing.T) {
	_, p := newTracer(t, carrier.Config{Custom: []carrier.CustomFormat{otTracer{}}})
	ot := []string{"ot-tracer-traceid", "8448eb211c80319c", "ot-tracer-spanid", someSpan, "ot-tracer-sampled", "false"}
	sc := extract(t, p, headers(append(ot, "traceparent", someTraceparent)...))
	if carrier.TraceID(sc) != someTrace || !sc.IsSampled() || p.Stats().Conflict != 1 {
		t.Errorf("%v, %+v", sc, p.Stats())
	}
	if sc = extract(t, p, headers(ot...)); carrier.SpanID(sc) != someSpan || sc.IsSampled() {
		t.Errorf("%v", sc)
	}
}

// wild is a format that does what it must not.
type wild struct{ otTracer }

func (wild) Extract(get func(string) string) (jaeger.SpanContext, bool) { panic("user's mistake") }

func (wild) Inject(sc jaeger.SpanContext, set func(key, value string)) {
	set("authorization", "not mine")
	set("ot-tracer-traceid", "line\r\nbreak")
	set("ot-tracer-spanid", strings.Repeat("x", 600))
	set("OT-Tracer-Sampled", "true")
	panic("user's mistake")
}

func TestCustomFormatsAreContained(t *testing.T) {
	p := newPropagator(t, carrier.Config{Custom: []carrier.CustomFormat{wild{}}})
	sc := extract(t, p, headers("traceparent", someTraceparent, "ot-tracer-spanid", strings.Repeat("x", 1<<20)))
	h := inject(t, p, sc)
	if h["Authorization"] != nil || h["Ot-Tracer-Traceid"] != nil || h["Ot-Tracer-Spanid"] != nil || h.Get("Ot-Tracer-Sampled") != "true" {
		t.Errorf("sent %v", h)
	}
	if got := p.Stats().HookPanic; got != 2 {
		t.Errorf("%d panics counted", got)
	}
	if _, err := carrier.New(carrier.Config{Custom: []carrier.CustomFormat{keyless{}}}); err == nil {
		t.Error("a format without keys")
	}
}

type keyless struct{ otTracer }

func (keyless) Keys() []string { return nil }
