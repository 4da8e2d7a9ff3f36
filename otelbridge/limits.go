package otelbridge

import (
	"unicode/utf8"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/model"
)

// Option is an option of a [Bridge].
type Option func(*Bridge)

// Limits bounds what OpenTelemetry code can add to one span; what is over a limit is counted as dropped. A field that
// is zero takes the limit of the tracer, which a [tracerinit.Tracer] reads from Config.Limits and from the OTEL_*_LIMIT
// variables; the default is 128 for each count, as in OpenTelemetry's SDK. A negative field sets no limit, though the
// exporters of the tracer still have theirs.
//
// [tracerinit.Tracer]: https://pkg.go.dev/github.com/spanloom/spanloom/tracerinit#Tracer
type Limits struct {
	Attributes         int // of a span
	Events             int // of a span; the newest are kept
	Links              int // of a span; the newest are kept
	AttributesPerEvent int
	AttributesPerLink  int
	ValueLength        int // characters of a text, or bytes of a binary value; default 16384
}

const noLimit = -1

// WithLimits replaces the limits of the tracer.
func WithLimits(l Limits) Option {
	return func(b *Bridge) {
		to, from := b.limits.all(), l.all()
		for i := range to {
			if *from[i] != 0 {
				*to[i] = *from[i]
			}
		}
	}
}

func (l *Limits) all() [6]*int {
	return [...]*int{
		&l.Attributes, &l.Events, &l.Links, &l.AttributesPerEvent, &l.AttributesPerLink, &l.ValueLength,
	}
}

// limitsOf returns the limits of a tracer, or the defaults if it has none. A zero in them keeps nothing.
func limitsOf(t opentracing.Tracer) Limits {
	l := Limits{
		Attributes: 128, Events: 128, Links: 128, AttributesPerEvent: 128, AttributesPerLink: 128, ValueLength: 16 << 10,
	}
	limited, ok := t.(interface{ SpanLimits() *model.Limits })
	if !ok || limited.SpanLimits() == nil {
		return l
	}
	m := limited.SpanLimits()
	for i, v := range []int{m.Tags, m.Logs, m.Links, m.Fields, m.LinkFields, m.ValueBytes} {
		switch {
		case v == 0:
			v = noLimit
		case v < 0:
			v = 0
		}
		*l.all()[i] = v
	}
	return l
}

// cutText returns the first characters of s, without bytes that are no UTF-8, if s is longer than a limit.
func cutText(s string, limit int) string {
	if limit < 0 || len(s) <= limit {
		return s
	}
	kept := make([]byte, 0, limit)
	n := 0
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			if _, size = utf8.DecodeRuneInString(s[i:]); size == 1 {
				continue
			}
		}
		if n == limit {
			return string(kept)
		}
		kept = append(kept, s[i:i+size]...)
		n++
	}
	if len(kept) == len(s) {
		return s
	}
	return string(kept)
}
