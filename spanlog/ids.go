package spanlog

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// spanIDs are the ids of a span as a record has them.
type spanIDs struct {
	trace, span string // "" if the tracer has none
	sampled     bool   // whether the span is reported; true where that is unknown
}

func idsOf(span opentracing.Span) spanIDs {
	if s, ok := span.(interface{ SpanContext() jaeger.SpanContext }); ok {
		return jaegerIDs(s.SpanContext())
	}
	sc := span.Context()
	if j, ok := sc.(jaeger.SpanContext); ok {
		return jaegerIDs(j)
	}
	s, ok := sc.(interface{ IsSampled() bool })
	return spanIDs{trace: carrier.TraceID(sc), span: carrier.SpanID(sc), sampled: !ok || s.IsSampled()}
}

// jaegerIDs returns the ids as package carrier formats them. Both are parts of one string, which saves two allocations.
func jaegerIDs(sc jaeger.SpanContext) spanIDs {
	id := sc.TraceID()
	if !id.IsValid() {
		return spanIDs{}
	}
	var raw [24]byte
	binary.BigEndian.PutUint64(raw[0:], id.High)
	binary.BigEndian.PutUint64(raw[8:], id.Low)
	binary.BigEndian.PutUint64(raw[16:], uint64(sc.SpanID()))
	var text [48]byte
	hex.Encode(text[:], raw[:])
	both := string(text[:])
	return spanIDs{trace: both[:32], span: both[32:], sampled: sc.IsSampled()}
}
