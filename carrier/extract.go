package carrier

import (
	"math/rand/v2"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// extractFrom reads carrier. Values of baggage keys with a prefix are not unescaped if plain.
func (p *Propagator) extractFrom(carrier any, plain bool) (jaeger.SpanContext, error) {
	if c, ok := carrier.(Copy); ok {
		return p.copyOf(c.Context), nil
	}
	in := incoming{p: p}
	if err := in.src.open(p, carrier, p.reads); err != nil {
		return jaeger.SpanContext{}, err
	}
	if in.src.has == 0 {
		return jaeger.SpanContext{}, opentracing.ErrSpanContextNotFound
	}
	in.readFormats()
	if in.src.has.has(custom) {
		in.readCustom()
	}
	if !in.src.hasBaggage() {
		return in.context(nil)
	}
	b := p.readBaggage(&in.src, plain)
	in.state.properties, in.state.refused = b.properties, b.refused
	return in.context(b.all)
}

// incoming is the reading of one carrier.
type incoming struct {
	p       *Propagator
	src     source
	parent  remote // valid, or a B3 sampling state alone, or zero
	corrupt bool   // a format was there but malformed
	state   state
}

// readFormats takes the first valid context. A later one of the same trace adds what the first could not express; one
// of another trace is a conflict.
func (in *incoming) readFormats() {
	for _, f := range in.p.extract {
		if in.src.has&formatTable[f].fields == 0 {
			continue
		}
		r, ok := in.read(f)
		switch {
		case !ok:
			continue
		case !r.valid():
			if !in.parent.valid() && in.parent.sampling == undecided {
				in.parent = r
				in.cameIn(f)
			}
			continue
		case !in.parent.valid():
			in.parent = r
			in.cameIn(f)
			in.p.counts.count(extracted + cause(f))
		case !in.parent.merge(&r):
			in.p.counts.count(conflict)
			continue
		}
		if f == W3C {
			in.state.random = r.random
			if in.src.has.has(tracestate) {
				in.readTracestate()
			}
		}
	}
}

// cameIn notes the encoding of B3 in which to answer.
func (in *incoming) cameIn(f Format) {
	in.state.b3 = 0
	if in.p.answersB3 && f.isB3() {
		in.state.b3 = f
	}
}

func (in *incoming) malformed(f Format) {
	in.corrupt = true
	in.p.counts.count(malformed + cause(f))
}

// oneValue returns the value of a field that must have one. The same value twice is one, except for traceparent, also
// where a proxy has joined the two by a comma.
func (in *incoming) oneValue(f field, max int) (s string, ok bool) {
	v := in.src.get(f)
	if len(v.more) == 0 && len(v.first) <= max && (f == traceparent || strings.IndexByte(v.first, ',') < 0) {
		return v.first, v.first != ""
	}
	return in.oneOf(f, v, max)
}

// maxJoined is how many times as long as one value the line of a field may be that has several.
const maxJoined = 8

// oneOf is oneValue for several lines or values. Different ones count as Duplicate in [Stats].
func (in *incoming) oneOf(f field, v values, max int) (s string, ok bool) {
	for line := range v.each {
		if f == traceparent || len(line) > maxJoined*max {
			if !in.oneMore(f, &s, line) {
				return "", false
			}
			continue
		}
		for one := range strings.SplitSeq(line, ",") {
			if !in.oneMore(f, &s, trimSpace(one)) {
				return "", false
			}
		}
	}
	if len(s) > max {
		in.corrupt = true
		in.p.counts.count(oversize)
		return "", false
	}
	return s, s != ""
}

// oneMore adds another value of a field to the first, *s, and reports whether that is the same.
func (in *incoming) oneMore(f field, s *string, one string) (ok bool) {
	if one == "" && f != traceparent {
		return true
	}
	if *s != "" && (f == traceparent || one != *s) {
		in.corrupt = true
		in.p.counts.count(duplicate)
		return false
	}
	*s = one
	return true
}

// context makes the span context of what was read.
func (in *incoming) context(items map[string]string) (jaeger.SpanContext, error) {
	r := &in.parent
	if r.debug && !in.p.debug() {
		r.debug = false
		in.p.counts.count(debugIgnored)
	}
	var sc jaeger.SpanContext
	switch {
	case r.valid():
		sc = in.spanContext(items)
	case r.sampling == unsampled:
		// Only b3=0 was sent. A made-up parent keeps the whole trace unsampled, and Inject sends its id to nobody.
		trace := jaeger.TraceID{High: rand.Uint64(), Low: rand.Uint64() | 1}
		in.state.madeUp = jaeger.SpanID(rand.Uint64() | 1)
		sc = jaeger.NewSpanContext(trace, in.state.madeUp, 0, false, items)
	default:
		return in.rootless(items)
	}
	if !in.state.empty() {
		in.p.attach(sc, &in.state)
	}
	return sc, nil
}

func (in *incoming) spanContext(items map[string]string) jaeger.SpanContext {
	r := &in.parent
	if r.sampling == undecided {
		r.sampling = decided(in.p.decides(r.trace))
	}
	sc := jaeger.NewSpanContext(r.trace, r.span, r.parent, r.sampling == sampled, items)
	if r.debug {
		in.p.marker.setFlag(sc)
	}
	if r.firehose {
		sc.SetFirehose()
	}
	return sc
}

// rootless makes a context without ids: baggage, a debug id, or nothing.
func (in *incoming) rootless(items map[string]string) (jaeger.SpanContext, error) {
	in.state.debugID = in.debugID()
	in.state.b3 = 0
	if in.state.debugID == "" && items == nil && in.state.refused.empty() {
		if in.corrupt {
			return jaeger.SpanContext{}, opentracing.ErrSpanContextCorrupted
		}
		return jaeger.SpanContext{}, opentracing.ErrSpanContextNotFound
	}
	sc := jaeger.NewSpanContext(jaeger.TraceID{}, 0, rootlessParentID, false, items)
	if in.state.debugID != "" {
		sc = in.p.marker.withID(sc, in.state.debugID)
	}
	in.p.attach(sc, &in.state)
	return sc, nil
}

func (p *Propagator) decides(id jaeger.TraceID) (sample bool) {
	if p.decide == nil {
		return true
	}
	defer func() {
		if recover() != nil {
			p.counts.count(hookPanic)
			sample = false
		}
	}()
	return p.decide(id)
}
