package model

import (
	"math"
	"strings"
	"time"
)

// Batch is a group of spans from one process, as it travels to or from a backend.
type Batch struct {
	Process Process
	Spans   []Span
}

// Process describes the program that made the spans: an OpenTelemetry resource, a Jaeger process.
type Process struct {
	Service string
	Tags    []Tag // without the service name
}

// Span is one finished span. ParentID is 0 for a root; Start is wall-clock time; Duration is never negative.
type Span struct {
	TraceID    TraceID
	SpanID     uint64
	ParentID   uint64
	Flags      byte // Jaeger's: 1 sampled, 2 debug
	Random     bool // W3C: the caller has said that the trace id is random
	Name       string
	TraceState string // W3C tracestate, "" when there is none
	Start      time.Time
	Duration   time.Duration
	Tags       []Tag
	Logs       []Log
	Dropped    Dropped
	Refs       []Ref  // all references but the CHILD_OF one that ParentID states
	Scope      *Scope // nil if it is a name and a version, which are tags
	Parent     Locality
}

// Locality says whether the parent of a span belongs to another process.
type Locality uint8

// The zero Locality is that of spans from formats which do not have it.
const (
	LocalityUnknown Locality = iota
	Local                    // in this process, or there is no parent
	Remote
)

// Dropped counts what limits took from a span before it was recorded here.
type Dropped struct {
	Tags, Logs, Refs uint32 // left out
	Fields           uint32 // of all logs together, left out
	Values           uint32 // shortened
}

// Log is one timestamped event of a span.
type Log struct {
	Time          time.Time
	Fields        []Tag
	DroppedFields uint32 // left out by a limit
}

// Limits bounds what one span may carry. A field that is zero sets no limit. A negative number of tags, logs or fields
// keeps none, except the tags that OTLP writes as fields of their own: error, kind and status.
type Limits struct {
	Tags       int // tags of a span
	Logs       int // logs of a span
	Fields     int // fields of a log
	ValueBytes int // bytes of one string or binary value; longer strings are shortened at a rune and end in "…"
	Links      int // of OpenTelemetry code on a span; only for who records them
	LinkFields int // attributes of a link; only for who records them
}

// RefType says how a span refers to another.
type RefType uint8

// The two reference types of OpenTracing.
const (
	ChildOf RefType = iota
	FollowsFrom
)

// Ref is a reference to another span, possibly in another trace.
type Ref struct {
	Type    RefType
	TraceID TraceID
	SpanID  uint64
	Link    *Link // of a link of OpenTelemetry, else nil
}

// Tag is a key and a typed value.
type Tag struct {
	Key   string
	Value Value
}

// Kind is the type of a Value.
type Kind uint8

// The kinds of values that Jaeger and OTLP both know. The zero Value is the empty string.
const (
	KindString Kind = iota
	KindBool
	KindInt
	KindFloat
	KindBytes
	KindList  // only of OpenTelemetry
	KindMap   // only of OpenTelemetry
	KindEmpty // only of OpenTelemetry: no value
)

// Value is a tag's value: a small sum type without pointers to boxed numbers.
type Value struct {
	kind    Kind
	literal bool // see Literal
	whole   bool // see Whole
	num     uint64
	str     string
	rich    *rich // of a list or map
}

// String makes a text value.
func String(s string) Value { return Value{str: s} }

// Bool makes a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int makes an integer value.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Float makes a floating-point value.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// Bytes makes a binary value; b is copied.
func Bytes(b []byte) Value { return Value{kind: KindBytes, str: string(b)} }

// Kind returns the type, which decides the accessor to use.
func (v Value) Kind() Kind { return v.kind }

// Str returns the text of a KindString, or the raw bytes of a KindBytes, value. Lists and maps are returned as JSON.
func (v Value) Str() string {
	if v.kind > KindBytes {
		return v.String()
	}
	return v.str
}

// Bool returns the value of a KindBool value.
func (v Value) Bool() bool { return v.num != 0 }

// Int returns the value of a KindInt value.
func (v Value) Int() int64 { return int64(v.num) }

// Float returns the value of a KindFloat value.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Truncate shortens a string or binary value to at most maxBytes bytes and reports whether it did. A limit that is
// not positive is none.
func (v Value) Truncate(maxBytes int) (short Value, cut bool) {
	if maxBytes <= 0 || len(v.str) <= maxBytes && v.rich == nil {
		return v, false
	}
	return v.truncate(maxBytes)
}

func (v Value) truncate(maxBytes int) (short Value, cut bool) {
	if v.whole {
		if maxBytes = maxWholeBytes; len(v.str) <= maxBytes && v.rich == nil {
			return v, false
		}
	}
	if v.rich != nil {
		return v.truncateRich(maxBytes)
	}
	switch v.kind {
	case KindString:
		v.str = Cut(v.str, maxBytes)
	case KindBytes:
		v.str = strings.Clone(v.str[:maxBytes])
	}
	return v, true
}
