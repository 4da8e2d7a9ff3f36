package model

import (
	"cmp"
	"errors"
	"reflect"
)

// ErrTooLarge is wrapped by the errors of decoders that met more than their DecodeLimits allow.
var ErrTooLarge = errors.New("more spans than the limits allow")

// DecodeLimits bounds what decoders of spans accept. Too many spans, or too much memory, refuse a request with
// ErrTooLarge; the surplus of one span is left out or cut. Zero fields have the defaults; negative ones no limit.
type DecodeLimits struct {
	Spans      int   // spans of one request; 100,000
	Tags       int   // tags of one span, log or process; 1,024
	Logs       int   // logs of one span; 4,096
	Refs       int   // references of one span; 1,024
	ValueBytes int   // bytes of one text or binary value; 65,536
	Memory     int64 // bytes of memory that the result takes; 64 MiB
}

func (l DecodeLimits) withDefaults() DecodeLimits {
	return DecodeLimits{
		Spans: cmp.Or(l.Spans, 100_000), Tags: cmp.Or(l.Tags, 1024), Logs: cmp.Or(l.Logs, 4096), Refs: cmp.Or(l.Refs, 1024),
		ValueBytes: cmp.Or(l.ValueBytes, 1<<16), Memory: cmp.Or(l.Memory, 64<<20),
	}
}

// Builder is how a decoder makes spans within DecodeLimits. When a limit that refuses the request is passed, it makes
// nothing more, and Err returns why.
type Builder struct {
	lim   DecodeLimits
	spans int
	spent int64
	keys  map[string]string
	full  bool
}

// NewBuilder returns the Builder of one request.
func NewBuilder(lim DecodeLimits) *Builder {
	return &Builder{lim: lim.withDefaults(), keys: map[string]string{}}
}

// Err returns ErrTooLarge once a limit was passed, else nil.
func (in *Builder) Err() error {
	if in.full {
		return ErrTooLarge
	}
	return nil
}

// Sizes of what the slices of a request hold.
var (
	batchSize = size[Batch]()
	spanSize  = size[Span]()
	tagSize   = size[Tag]()
	logSize   = size[Log]()
	refSize   = size[Ref]()
)

func size[T any]() uintptr { return reflect.TypeFor[T]().Size() }

func (in *Builder) spend(bytes uintptr) bool {
	in.spent += int64(bytes)
	in.full = in.full || in.lim.Memory > 0 && in.spent > in.lim.Memory
	return !in.full
}

// Batch appends b to batches.
func (in *Builder) Batch(batches []Batch, b Batch) []Batch {
	if !in.spend(batchSize) {
		return batches
	}
	return append(batches, b)
}

// Span appends s to spans.
func (in *Builder) Span(spans []Span, s *Span) []Span {
	in.spans++
	in.full = in.full || over(in.spans, in.lim.Spans)
	if !in.spend(spanSize) {
		return spans
	}
	return append(spans, *s)
}

// Tag appends a tag to tags, unless its key is empty or there are too many.
func (in *Builder) Tag(tags []Tag, key string, v Value) []Tag {
	if key == "" || over(len(tags)+1, in.lim.Tags) || !in.spend(tagSize) {
		return tags
	}
	return append(tags, Tag{key, v})
}

// Log appends l to logs, unless there are too many.
func (in *Builder) Log(logs []Log, l Log) []Log {
	if over(len(logs)+1, in.lim.Logs) || !in.spend(logSize) {
		return logs
	}
	return append(logs, l)
}

// Ref appends r to refs, unless there are too many.
func (in *Builder) Ref(refs []Ref, r Ref) []Ref {
	if over(len(refs)+1, in.lim.Refs) || !in.spend(refSize) {
		return refs
	}
	return append(refs, r)
}

// Text copies b into a string that is UTF-8 and no longer than a value may be.
func (in *Builder) Text(b []byte) string {
	return Cut(Text(in.bytes(b, 1)), in.lim.ValueBytes)
}

// Binary copies b into a binary value.
func (in *Builder) Binary(b []byte) Value {
	return Value{kind: KindBytes, str: in.bytes(b, 0)}
}

// bytes copies b up to the limit and spare bytes more, by which Cut sees that there was more.
func (in *Builder) bytes(b []byte, spare int) string {
	if limit := in.lim.ValueBytes; limit > 0 && len(b) > limit {
		b = b[:limit+min(spare, len(b)-limit)]
	}
	if !in.spend(uintptr(len(b))) {
		return ""
	}
	return string(b)
}

// Key is Text for strings that come again and again: equal ones share their bytes.
func (in *Builder) Key(b []byte) string {
	const maxKeys, maxBytes = 4096, 128
	if s, ok := in.keys[string(b)]; ok {
		return s
	}
	s := in.Text(b)
	if len(s) <= maxBytes && len(in.keys) < maxKeys {
		in.keys[s] = s
	}
	return s
}

func over(n, limit int) bool { return limit > 0 && n > limit }
