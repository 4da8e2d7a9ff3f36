package model

import (
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Limits bounds what one span may carry; a field that is zero sets no limit. A negative number of
// tags, logs or fields keeps none, except the tags that OTLP writes as fields of their own: error, kind and status.
type Limits struct {
	Tags       int // tags per span
	Logs       int // logs per span
	Fields     int // fields per log
	ValueBytes int // bytes of one string or binary value; longer ones are cut at a rune and end in "…"
}

// Load fills s from a finished span of jaeger-client-go, reusing s's slices and those of its logs, and returns how
// many tags, logs and log fields the limits dropped. The tags that tell an error, the kind and the status are
// dropped last. traceState, if not nil, tells the W3C tracestate of the span's trace.
func (s *Span) Load(src *jaeger.Span, lim Limits, traceState func(jaeger.SpanContext) string) (dropped int) {
	sc := src.SpanContext()
	id := sc.TraceID()
	*s = Span{
		TraceID:  TraceID{High: id.High, Low: id.Low},
		SpanID:   uint64(sc.SpanID()),
		ParentID: uint64(sc.ParentID()),
		Flags:    sc.Flags(),
		Name:     src.OperationName(),
		Start:    src.StartTime(),
		Duration: duration(src.Duration()),
		Tags:     s.Tags[:0],
		Logs:     s.Logs[:0],
		Refs:     s.Refs[:0],
	}
	if traceState != nil {
		s.TraceState = traceState(sc)
	}
	dropped = s.loadTags(src, lim)
	dropped += s.loadLogs(src.Logs(), lim)
	s.loadRefs(src.References())
	s.loadLink()
	return dropped
}

// duration keeps what lasted less than a microsecond from lasting nothing, which Jaeger takes for a fault; so it is the
// same by thrift, which tells microseconds, and by OTLP.
func duration(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return max(d, time.Microsecond)
}

func (s *Span) loadLogs(logs []opentracing.LogRecord, lim Limits) (dropped int) {
	if keep := max(lim.Logs, 0); lim.Logs != 0 && len(logs) > keep {
		dropped = len(logs) - keep
		logs = logs[:keep]
	}
	for _, rec := range logs {
		if n := len(s.Logs); n < cap(s.Logs) {
			s.Logs = s.Logs[:n+1]
		} else {
			s.Logs = append(s.Logs, Log{})
		}
		l := &s.Logs[len(s.Logs)-1]
		l.Time = rec.Timestamp
		dropped += l.loadFields(rec.Fields, lim)
	}
	return dropped
}

func (s *Span) loadRefs(refs []opentracing.SpanReference) {
	for _, r := range refs {
		sc, ok := r.ReferencedContext.(jaeger.SpanContext)
		if !ok {
			continue
		}
		ref := Ref{TraceID: TraceID{sc.TraceID().High, sc.TraceID().Low}, SpanID: uint64(sc.SpanID())}
		if r.Type == opentracing.FollowsFromRef {
			ref.Type = FollowsFrom
		} else if ref.SpanID == s.ParentID && ref.TraceID == s.TraceID {
			continue
		}
		s.Refs = append(s.Refs, ref)
	}
}
