package carrier

import (
	"slices"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Propagator reads and writes span contexts by its [Config]. It is a [jaeger.Extractor] and [jaeger.Injector] for
// [opentracing.HTTPHeaders] and may be used concurrently. Make one with [New].
//
// Carriers: [http.Header], [opentracing.HTTPHeadersCarrier], [Multi], [opentracing.TextMapCarrier], [List], [Table],
// and any other [opentracing.TextMapReader] and [opentracing.TextMapWriter]. A writer that also is a reader can have
// the baggage of others in it, which is kept, and if it has a method Del(key string), keys that are stale are removed
// from it.
type Propagator struct {
	extract, inject     []Format
	stylesIn, stylesOut styleSet
	answersB3           bool // whether a trace that came in B3 goes out in B3, too
	reads, manages      fieldSet
	keys                keyTable
	spanHeaders         []string
	custom              []customFormat
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

// TracerOptions registers p with [jaeger.NewTracer] for [opentracing.HTTPHeaders], [opentracing.TextMap] and
// [opentracing.Binary]. TextMap differs in that baggage with a key for each item is not escaped, whatever the
// carrier. Binary is jaeger-client-go's own layout, read within p's limits.
func (p *Propagator) TracerOptions() []jaeger.TracerOption {
	return Options(p, jaeger.TracerOptions.Injector, jaeger.TracerOptions.Extractor)
}

// Options returns the options that register p for the formats of [Propagator.TracerOptions], made by the functions of
// any package that has such options. With config standing for github.com/uber/jaeger-client-go/config:
//
//	tracer, closer, err := cfg.NewTracer(carrier.Options(p, config.Injector, config.Extractor)...)
func Options[O any](
	p *Propagator, injector func(format any, i jaeger.Injector) O, extractor func(format any, e jaeger.Extractor) O,
) (options []O) {
	register := func(format opentracing.BuiltinFormat, codec interface {
		jaeger.Extractor
		jaeger.Injector
	}) {
		options = append(options, injector(format, codec), extractor(format, codec))
	}
	register(opentracing.HTTPHeaders, p)
	register(opentracing.TextMap, textMap{p})
	register(opentracing.Binary, binaryCodec{p})
	return options
}

// Extract returns the caller's context in carrier. Without any it returns [opentracing.ErrSpanContextNotFound], or
// [opentracing.ErrSpanContextCorrupted] if there is only a malformed one. A context may hold baggage alone.
// The caller's sampling decision is final only if the tracer's own Extract makes the call.
func (p *Propagator) Extract(carrier any) (jaeger.SpanContext, error) {
	return p.extractFrom(carrier, false)
}

// Inject writes sc into carrier. It replaces the keys of all formats that p reads or writes, in any letter case, so
// that nothing of an earlier context stays. Baggage that others wrote stays, merged with sc's, whose items win.
// X-B3-* of the same trace stay, too, if p writes no B3. Lists of values are replaced, never written to, so that
// carrier may be a shallow copy. Every key and value that Inject writes is a legal header for net/http and gRPC.
func (p *Propagator) Inject(sc jaeger.SpanContext, carrier any) error {
	return p.injectInto(sc, carrier, false)
}

// SpanHeaders returns the headers in which Inject writes the id of the span, spelled as [http.Header] has them. If p
// is nil, they are those of all built-in formats with their default names. The result must not be changed.
func (p *Propagator) SpanHeaders() []string {
	if p == nil {
		return defaultSpanHeaders
	}
	return p.spanHeaders
}

var defaultSpanHeaders = []string{"Traceparent", "Uber-Trace-Id", "X-B3-Spanid", "B3"}

// spanHeadersOf lists the headers of all formats that Inject may write.
func (p *Propagator) spanHeadersOf() (headers []string) {
	list := p.inject
	if p.answersB3 {
		list = append(slices.Clone(list), B3, B3Multi)
	}
	for _, f := range list {
		headers = append(headers, p.keys.fixed[formatTable[f].span].canonical)
	}
	for _, key := range p.keys.custom {
		headers = append(headers, key.canonical)
	}
	return headers
}

// textMap is p for [opentracing.TextMap].
type textMap struct{ p *Propagator }

func (t textMap) Extract(carrier any) (jaeger.SpanContext, error) {
	return t.p.extractFrom(carrier, true)
}

func (t textMap) Inject(sc jaeger.SpanContext, carrier any) error {
	return t.p.injectInto(sc, carrier, true)
}
