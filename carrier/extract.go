package carrier

import (
	"math/rand/v2"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

func (p *Propagator) extractFrom(carrier any, textMap bool) (jaeger.SpanContext, error) {
	in := incoming{p: p}
	if err := in.src.open(carrier, p.reads); err != nil {
		return jaeger.SpanContext{}, err
	}
	in.readFormats()
	switch {
	case in.src.walked != nil: // once is enough
	case in.winner.valid() && !in.mayHavePrefixed():
		in.src.prefixed = 0
	case in.winner.valid():
		in.src.countPrefixed()
	case in.src.indexed == nil && in.src.walk() && !in.corrupt:
		in.readFormats()
	}
	if !in.src.hasBaggage() {
		return in.context(nil)
	}
	items := p.readBaggage(&in.src, textMap && in.src.headers == nil)
	in.state.properties = items.properties
	return in.context(items.all)
}

// mayHavePrefixed reports whether to look for uberctx-* keys beside the winner. They come with a uber-trace-id, so
// beside one of another format alone there are none.
func (in *incoming) mayHavePrefixed() bool {
	return in.src.managed.has(uberctx) && (in.format == Jaeger || in.src.indexed == nil && in.src.want.has(uberTraceID))
}

// incoming is the reading of one carrier.
type incoming struct {
	p       *Propagator
	src     source
	winner  remote // valid, or a B3 sampling state alone, or zero
	format  Format // the winner's, if it is valid
	corrupt bool   // a format was there but malformed
	state   state
}

// readFormats takes the first valid context. A later one of the same trace adds what the first could not say; one of
// another trace is a conflict.
func (in *incoming) readFormats() {
	for _, f := range in.p.extract {
		if !in.mayHave(f) {
			continue
		}
		r, ok := in.read(f)
		switch {
		case !ok:
			continue
		case !r.valid():
			if !in.winner.valid() && in.winner.sampling == undecided {
				in.winner = r
			}
			continue
		case !in.winner.valid():
			in.winner, in.format = r, f
			in.p.counts.count(extracted + cause(f))
		case in.winner.trace != r.trace:
			in.p.counts.count(conflict)
			continue
		default:
			in.winner.complete(&r)
		}
		if f == W3C {
			in.state.random = r.random
			in.readTracestate()
		}
	}
}

// mayHave reports whether format f can be there, as far as that is known without looking further.
func (in *incoming) mayHave(f Format) bool {
	return in.src.want.has(leads[f]) || f == B3Multi && !in.winner.valid() // which can be a sampling state alone
}

// read returns what format f says. It is not ok if there is nothing, or nothing sound.
func (in *incoming) read(f Format) (r remote, ok bool) {
	var s string
	switch f {
	case W3C:
		if s, ok = in.single(traceparent, maxTraceparent); ok {
			r, ok = parseTraceparent(s)
		}
	case Jaeger:
		if s, ok = in.single(uberTraceID, maxUberTraceID); ok {
			r, ok = parseUberTraceID(s)
		}
	case B3:
		if s, ok = in.single(b3, maxB3); ok {
			r, ok = parseB3(s)
		}
	case B3Multi:
		return in.readB3Multi()
	}
	if s != "" && !ok {
		in.malformed(f)
	}
	return r, ok
}

func (in *incoming) malformed(f Format) {
	in.corrupt = true
	in.p.counts.count(malformed + cause(f))
}

// single returns the value of a field that must have one. The same value twice is one, except for traceparent.
func (in *incoming) single(f field, max int) (s string, ok bool) {
	v := in.src.get(f)
	if len(v.more) == 0 && len(v.first) <= max {
		return v.first, v.first != ""
	}
	return in.singleOf(f, v, max)
}

func (in *incoming) singleOf(f field, v values, max int) (s string, ok bool) {
	for one := range v.each {
		if s != "" && (f == traceparent || one != s) {
			in.corrupt = true
			in.p.counts.count(duplicate)
			return "", false
		}
		s = one
	}
	if len(s) > max {
		in.corrupt = true
		in.p.counts.count(oversize)
		return "", false
	}
	return s, s != ""
}

func (in *incoming) readB3Multi() (r remote, ok bool) {
	trace, hasTrace := in.single(b3TraceID, maxB3)
	if hasTrace {
		span, _ := in.single(b3SpanID, maxB3)
		if !r.setB3IDs(trimSpace(trace), trimSpace(span)) {
			in.malformed(B3Multi)
			return remote{}, false
		}
	} else if in.winner.valid() {
		return remote{}, false
	}
	if state, has := in.single(b3Sampled, maxB3); has && !r.setB3State(trimSpace(state)) {
		in.malformed(B3Multi)
	}
	if flags, _ := in.single(b3Flags, maxB3); trimSpace(flags) == "1" {
		r.sampling, r.debug = sampled, true
	}
	if hasTrace {
		if parent, has := in.single(b3ParentSpanID, maxB3); has {
			id, _ := parseHex(trimSpace(parent), &anyHex)
			r.parent = jaeger.SpanID(id)
		}
	}
	return r, hasTrace || r.sampling != undecided
}

func (in *incoming) readTracestate() {
	lines := in.src.get(tracestate)
	if !lines.some() {
		return
	}
	ok := lines.size() <= in.p.limits.TraceState && len(lines.more) < maxLines
	if ok {
		in.state.tracestate, ok = parseTracestate(&lines)
	}
	if !ok {
		in.p.counts.count(traceStateDropped)
	}
}

// context makes the span context of what was read.
func (in *incoming) context(items map[string]string) (jaeger.SpanContext, error) {
	r := &in.winner
	if r.debug && !in.p.debug() {
		r.debug = false
		in.p.counts.count(debugIgnored)
	}
	var sc jaeger.SpanContext
	switch {
	case r.valid():
		sc = in.parent(items)
	case r.sampling == unsampled:
		// A sampling state of no alone: an unsampled parent nobody will see keeps the whole trace unsampled.
		sc = jaeger.NewSpanContext(jaeger.TraceID{High: rand.Uint64(), Low: rand.Uint64() | 1}, jaeger.SpanID(rand.Uint64()|1), 0, false, items)
	default:
		return in.rootless(items)
	}
	in.p.attach(sc, &in.state)
	return sc, nil
}

func (in *incoming) parent(items map[string]string) jaeger.SpanContext {
	r := &in.winner
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
	switch {
	case in.state.debugID == "" && items == nil && in.corrupt:
		return jaeger.SpanContext{}, opentracing.ErrSpanContextCorrupted
	case in.state.debugID == "" && items == nil:
		return jaeger.SpanContext{}, opentracing.ErrSpanContextNotFound
	}
	sc := jaeger.NewSpanContext(jaeger.TraceID{}, 0, hasSamplingState, false, items)
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
