package spanlog

import (
	"log/slog"
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Limits of a copy, which is far smaller than a record may be.
const (
	maxAttrs = 16
	maxKey   = 256 // bytes of a key, and of the names of the groups before it
	maxDepth = 16  // groups in each other: a LogValuer may return a group with itself in it
	maxValue = 256 // bytes
)

// spanAttrs are attributes as fields of a span's logs, which have no groups: the names of the groups precede the key.
type spanAttrs struct {
	prefix string
	fields []log.Field
}

func (s spanAttrs) with(attrs []slog.Attr) spanAttrs {
	s.fields = slices.Clip(s.fields)
	for _, a := range attrs {
		s.add(s.prefix, 0, a)
	}
	return s
}

func (s *spanAttrs) add(prefix string, depth int, a slog.Attr) {
	if len(s.fields) >= maxAttrs || depth > maxDepth || len(prefix) > maxKey || a.Equal(slog.Attr{}) {
		return
	}
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += model.Cut(a.Key, maxKey) + "."
		}
		for _, member := range value.Group() {
			s.add(prefix, depth+1, member)
		}
		return
	}
	s.fields = append(s.fields, field(prefix+model.Cut(a.Key, maxKey), value))
}

func field(key string, value slog.Value) log.Field {
	if semconv.IsSecret(key) {
		return log.String(key, semconv.Redacted)
	}
	switch value.Kind() {
	case slog.KindBool:
		return log.Bool(key, value.Bool())
	case slog.KindInt64:
		return log.Int64(key, value.Int64())
	case slog.KindUint64:
		return log.Uint64(key, value.Uint64())
	case slog.KindFloat64:
		return log.Float64(key, value.Float64())
	}
	return log.String(key, model.Cut(semconv.MaskText(text(value)), maxValue))
}

// text is the value in words. Methods of the value that panic must not end the program.
func text(value slog.Value) (s string) {
	defer func() {
		if recover() != nil {
			s = "(the value panicked)"
		}
	}()
	return value.String()
}

// copyTo logs the record on the span. A tracer that panics must not end the program.
func (s spanAttrs) copyTo(span opentracing.Span, r slog.Record) {
	defer func() { _ = recover() }()
	s.fields = slices.Clip(s.fields)
	r.Attrs(func(a slog.Attr) bool {
		s.add(s.prefix, 0, a)
		return len(s.fields) < maxAttrs
	})
	span.LogFields(append([]log.Field{
		log.Event("log"),
		log.String("level", r.Level.String()),
		log.Message(model.Cut(semconv.MaskText(r.Message), semconv.MaxMessage)),
	}, s.fields...)...)
}
