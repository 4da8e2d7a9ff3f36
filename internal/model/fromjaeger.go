package model

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Limits bounds what one span may carry; a field that is zero or negative sets no limit.
type Limits struct {
	Tags       int // tags per span
	Logs       int // logs per span
	Fields     int // fields per log
	ValueBytes int // bytes of one string or binary value; longer ones are cut at a rune and end in "…"
}

// Load fills s from a finished span of jaeger-client-go, reusing s's slices, and returns how many tags and logs
// the limits dropped. traceState, if not nil, tells the W3C tracestate of the span's trace.
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
		Duration: max(src.Duration(), 0),
		Tags:     s.Tags[:0],
		Logs:     s.Logs[:0],
		Refs:     s.Refs[:0],
	}
	if traceState != nil {
		s.TraceState = traceState(sc)
	}
	for k, v := range src.Tags() {
		if lim.Tags > 0 && len(s.Tags) >= lim.Tags {
			dropped++
			continue
		}
		s.Tags = append(s.Tags, Tag{k, ValueOf(v, lim.ValueBytes)})
	}
	dropped += s.loadLogs(src.Logs(), lim)
	s.loadRefs(src.References())
	return dropped
}

func (s *Span) loadLogs(logs []opentracing.LogRecord, lim Limits) (dropped int) {
	for _, rec := range logs {
		if lim.Logs > 0 && len(s.Logs) >= lim.Logs {
			dropped++
			continue
		}
		fields := make([]Tag, 0, len(rec.Fields))
		for _, f := range rec.Fields {
			if lim.Fields > 0 && len(fields) >= lim.Fields {
				dropped++
				continue
			}
			fields = append(fields, Tag{f.Key(), ValueOf(f.Value(), lim.ValueBytes)})
		}
		s.Logs = append(s.Logs, Log{Time: rec.Timestamp, Fields: fields})
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

// ValueOf turns a value given to SetTag or LogFields into a Value. Unknown types are written as fmt.Sprint writes
// them; a String or Error method that panics yields "<panic>". A string over maxBytes (if positive) is cut.
func ValueOf(v any, maxBytes int) Value {
	switch v := v.(type) {
	case string:
		return String(Cut(v, maxBytes))
	case bool:
		return Bool(v)
	case int:
		return Int(int64(v))
	case int64:
		return Int(v)
	case uint16:
		return Int(int64(v))
	case float64:
		return Float(v)
	case []byte:
		if maxBytes > 0 && len(v) > maxBytes {
			v = v[:maxBytes]
		}
		return Bytes(v)
	case time.Duration:
		return String(v.String())
	case error, fmt.Stringer:
		return String(Cut(sprint(v), maxBytes))
	}
	return reflected(v, maxBytes)
}

func reflected(v any, maxBytes int) Value {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return String(Cut(r.String(), maxBytes))
	case reflect.Bool:
		return Bool(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := r.Uint(); u > 1<<63-1 {
			return String(strconv.FormatUint(u, 10))
		}
		return Int(int64(r.Uint()))
	case reflect.Float32, reflect.Float64:
		return Float(r.Float())
	}
	return String(Cut(sprint(v), maxBytes))
}

func sprint(v any) (s string) {
	defer func() {
		if recover() != nil {
			s = "<panic>"
		}
	}()
	return fmt.Sprint(v)
}

// Cut shortens s to at most maxBytes bytes (no limit if not positive), at a rune boundary and ending in "…".
func Cut(s string, maxBytes int) string {
	const mark = "…"
	if maxBytes <= 0 || len(s) <= maxBytes {
		return s
	}
	end := max(maxBytes-len(mark), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if maxBytes < len(mark) {
		return s[:end]
	}
	return s[:end] + mark
}
