package neighbours_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	basictracer "github.com/opentracing/basictracer-go"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	octrace "go.opencensus.io/trace"
	"go.opencensus.io/trace/propagation"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

// basicFormat is the format of OpenTracing's basictracer.
type basicFormat struct{}

func (basicFormat) Name() string { return "ot-tracer" }

func (basicFormat) Keys() []string {
	return []string{"ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"}
}

func (basicFormat) Extract(get func(string) string) (sc jaeger.SpanContext, ok bool) {
	trace, err1 := jaeger.TraceIDFromString(get("ot-tracer-traceid"))
	span, err2 := jaeger.SpanIDFromString(get("ot-tracer-spanid"))
	return jaeger.NewSpanContext(trace, span, 0, get("ot-tracer-sampled") == "true", nil), err1 == nil && err2 == nil
}

func (basicFormat) Inject(sc jaeger.SpanContext, set func(key, value string)) {
	set("ot-tracer-traceid", strconv.FormatUint(sc.TraceID().Low, 16))
	set("ot-tracer-spanid", strconv.FormatUint(uint64(sc.SpanID()), 16))
	set("ot-tracer-sampled", strconv.FormatBool(sc.IsSampled()))
}

// censusFormat is the format of OpenCensus over gRPC, by the library's own code.
type censusFormat struct{}

func (censusFormat) Name() string   { return "grpc-trace-bin" }
func (censusFormat) Keys() []string { return []string{"grpc-trace-bin"} }

func (censusFormat) Extract(get func(string) string) (sc jaeger.SpanContext, ok bool) {
	oc, ok := propagation.FromBinary([]byte(get("grpc-trace-bin")))
	trace := jaeger.TraceID{High: binary.BigEndian.Uint64(oc.TraceID[:]), Low: binary.BigEndian.Uint64(oc.TraceID[8:])}
	return jaeger.NewSpanContext(trace, jaeger.SpanID(binary.BigEndian.Uint64(oc.SpanID[:])), 0, oc.IsSampled(), nil), ok
}

func (censusFormat) Inject(sc jaeger.SpanContext, set func(key, value string)) {
	set("grpc-trace-bin", string(propagation.Binary(census(sc))))
}

func census(sc jaeger.SpanContext) (oc octrace.SpanContext) {
	binary.BigEndian.PutUint64(oc.TraceID[:], sc.TraceID().High)
	binary.BigEndian.PutUint64(oc.TraceID[8:], sc.TraceID().Low)
	binary.BigEndian.PutUint64(oc.SpanID[:], uint64(sc.SpanID()))
	oc.TraceOptions = octrace.TraceOptions(sc.Flags() & 1)
	return oc
}

func oursWith(t *testing.T, c carrier.Config) *tracerinit.Tracer {
	t.Helper()
	return newOurs(t, tracerinit.Always(), c).(ours).tracer
}

// TestBasictracerUnderstandsOurContexts exchanges contexts and baggage with a tracer of github.com/opentracing/basictracer-go.
func TestBasictracerUnderstandsOurContexts(t *testing.T) {
	ours := oursWith(t, carrier.Config{
		Custom:  []carrier.CustomFormat{basicFormat{}},
		Baggage: carrier.Baggage{Styles: []carrier.BaggageStyle{carrier.PrefixBaggage}, Prefix: "ot-baggage-"},
	})
	recorder := basictracer.NewInMemoryRecorder()
	options := basictracer.DefaultOptions()
	options.Recorder, options.ShouldSample = recorder, func(uint64) bool { return true }
	theirs := basictracer.NewWithOptions(options)

	caller := theirs.StartSpan("caller").SetBaggageItem("user", "42")
	h := http.Header{}
	if err := theirs.Inject(caller.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)); err != nil {
		t.Fatal(err)
	}
	remote, err := ours.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
	if err != nil {
		t.Fatal(err)
	}
	want := caller.Context().(basictracer.SpanContext)
	sc := remote.(jaeger.SpanContext)
	if sc.TraceID().Low != want.TraceID || uint64(sc.SpanID()) != want.SpanID || !sc.IsSampled() || baggageOf(sc)["user"] != "42" {
		t.Errorf("read %v %v of %v", sc, baggageOf(sc), h)
	}
	span := ours.StartSpan("middle", opentracing.ChildOf(remote))
	defer span.Finish()
	out := http.Header{}
	if err := ours.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out)); err != nil {
		t.Fatal(err)
	}
	back, err := theirs.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(out))
	if err != nil {
		t.Fatal(err)
	}
	got := back.(basictracer.SpanContext)
	if got.TraceID != want.TraceID || got.SpanID != uint64(span.Context().(jaeger.SpanContext).SpanID()) || !got.Sampled || got.Baggage["user"] != "42" {
		t.Errorf("basictracer reads %+v of %v", got, out)
	}
}

// TestOpenCensusUnderstandsOurContexts exchanges grpc-trace-bin with go.opencensus.io.
func TestOpenCensusUnderstandsOurContexts(t *testing.T) {
	ours := oursWith(t, carrier.Config{Custom: []carrier.CustomFormat{censusFormat{}}})
	_, caller := octrace.StartSpan(t.Context(), "caller", octrace.WithSampler(octrace.AlwaysSample()))
	defer caller.End()
	wrote := propagation.Binary(caller.SpanContext())
	remote, err := ours.Extract(opentracing.HTTPHeaders, carrier.Multi{"grpc-trace-bin": {string(wrote)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := census(remote.(jaeger.SpanContext)); got.TraceID != caller.SpanContext().TraceID || got.SpanID != caller.SpanContext().SpanID || !got.IsSampled() {
		t.Errorf("read %+v of %x", got, wrote)
	}
	span := ours.StartSpan("middle", opentracing.ChildOf(remote))
	defer span.Finish()
	md := carrier.Multi{}
	if err := ours.Inject(span.Context(), opentracing.HTTPHeaders, md); err != nil {
		t.Fatal(err)
	}
	back, ok := propagation.FromBinary([]byte(md["grpc-trace-bin"][0]))
	if !ok || back.TraceID != caller.SpanContext().TraceID || hex.EncodeToString(back.SpanID[:]) != carrier.SpanID(span.Context()) {
		t.Errorf("OpenCensus reads %+v, %v", back, ok)
	}
	// The recorded bytes that carrier's own tests use are what the library writes.
	const recorded = "00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201"
	sc := jaeger.NewSpanContext(jaeger.TraceID{High: 0x0af7651916cd43dd, Low: 0x8448eb211c80319c}, 0xb7ad6b7169203331, 0, true, nil)
	if got := hex.EncodeToString(propagation.Binary(census(sc))); got != recorded {
		t.Errorf("OpenCensus writes %s", got)
	}
}

// TestAStockConfigurationTakesOurFormats registers the kit's formats with a tracer of jaeger-client-go's own configuration.
func TestAStockConfigurationTakesOurFormats(t *testing.T) {
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Configuration{ServiceName: "stock", Sampler: &config.SamplerConfig{Type: "const", Param: 1}}
	options := append(carrier.Options(p, config.Injector, config.Extractor), config.Reporter(jaeger.NewNullReporter()))
	tracer, closer, err := cfg.NewTracer(options...)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	const traceparent = "00-" + traceID + "-" + spanID + "-01"
	remote, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier{"Traceparent": {traceparent}})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []opentracing.BuiltinFormat{opentracing.HTTPHeaders, opentracing.TextMap} {
		t.Run(fmt.Sprint("format ", format), func(t *testing.T) {
			out := opentracing.TextMapCarrier{}
			if err := tracer.Inject(remote, format, out); err != nil || out["traceparent"] != traceparent {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}
