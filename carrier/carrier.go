package carrier

import (
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Propagator reads and writes span contexts as its Config says. It is a jaeger.Extractor and jaeger.Injector for
// opentracing.HTTPHeaders and safe for concurrent use. Make one with New.
//
// Carriers: http.Header, opentracing.HTTPHeadersCarrier, Multi, opentracing.TextMapCarrier, Indexed, and any other
// opentracing.TextMapReader and TextMapWriter.
type Propagator struct {
	extract, inject     []Format
	stylesIn, stylesOut styleSet
	reads, manages      fieldSet
	baggage             Baggage
	limits              Limits
	decide              func(jaeger.TraceID) bool
	debug               func() bool  // whether to obey one more debug request
	marker              *debugMarker // nil if debug never does

	stateSeen atomic.Bool
	counts    counters
}

var (
	_ jaeger.Extractor = (*Propagator)(nil)
	_ jaeger.Injector  = (*Propagator)(nil)
)

// TracerOptions registers p with jaeger.NewTracer for opentracing.HTTPHeaders, TextMap and Binary. TextMap differs in
// that values of uberctx-* are not escaped, unless the carrier is one for headers. Binary is jaeger-client-go's own
// layout, read within p's limits.
func (p *Propagator) TracerOptions() []jaeger.TracerOption {
	var opts []jaeger.TracerOption
	register := func(format opentracing.BuiltinFormat, codec interface {
		jaeger.Extractor
		jaeger.Injector
	}) {
		opts = append(opts, jaeger.TracerOptions.Extractor(format, codec), jaeger.TracerOptions.Injector(format, codec))
	}
	register(opentracing.HTTPHeaders, p)
	register(opentracing.TextMap, textMap{p})
	register(opentracing.Binary, binaryCodec{p})
	return opts
}

// Extract returns the caller's context in carrier. Without any it returns opentracing.ErrSpanContextNotFound, or
// opentracing.ErrSpanContextCorrupted if there is only a malformed one. A context may hold baggage alone.
// The caller's sampling decision is final only if the tracer's own Extract makes the call.
func (p *Propagator) Extract(carrier any) (jaeger.SpanContext, error) {
	return p.extractFrom(carrier, false)
}

// Inject writes sc into carrier. It replaces the keys of all formats that p reads or writes, in any letter case, so
// that nothing of an earlier context stays; from a TextMapWriter, which can only set, it removes nothing.
// Every key and value it writes is a legal header for net/http and gRPC.
func (p *Propagator) Inject(sc jaeger.SpanContext, carrier any) error {
	return p.injectInto(sc, carrier, false)
}

// AppendPairs appends what Inject would write into an empty Multi to kv, as key, value, key, value, each key once, and
// returns it: for metadata.AppendToOutgoingContext of gRPC.
func (p *Propagator) AppendPairs(kv []string, sc jaeger.SpanContext) []string {
	return p.appendPairs(kv, sc)
}

// Manages reports whether key, in any letter case, is one that Inject writes or removes.
func (p *Propagator) Manages(key string) bool {
	if !mayBeManaged(key) {
		return false
	}
	f := fieldOf(key)
	return f != unmanaged && p.manages.has(f)
}

// textMap is p for opentracing.TextMap.
type textMap struct{ p *Propagator }

func (t textMap) Extract(carrier any) (jaeger.SpanContext, error) {
	return t.p.extractFrom(carrier, true)
}

func (t textMap) Inject(sc jaeger.SpanContext, carrier any) error {
	return t.p.injectInto(sc, carrier, true)
}
