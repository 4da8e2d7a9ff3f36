package spanlog

import (
	"fmt"
	"log/slog"
	"reflect"
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
	open   groups
	fields []log.Field
}

// groups are what a record says before the key of an attribute.
type groups struct {
	prefix string
	secret bool // one of them has a secret's name
}

func (g groups) with(name string) groups {
	name = model.Cut(name, maxKey)
	return groups{g.prefix + name + ".", g.secret || semconv.IsSecret(name)}
}

func (s spanAttrs) with(attrs []slog.Attr) spanAttrs {
	s.fields = slices.Clip(s.fields)
	for _, a := range attrs {
		s.add(s.open, 0, a)
	}
	return s
}

func (s *spanAttrs) add(in groups, depth int, a slog.Attr) {
	if len(s.fields) >= maxAttrs || depth > maxDepth || len(in.prefix) > maxKey || a.Equal(slog.Attr{}) {
		return
	}
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			in = in.with(a.Key)
		}
		for _, member := range value.Group() {
			s.add(in, depth+1, member)
		}
		return
	}
	key := in.prefix + model.Cut(a.Key, maxKey)
	if in.secret || semconv.IsSecret(key) {
		s.fields = append(s.fields, log.String(key, semconv.Redacted))
		return
	}
	s.fields = append(s.fields, field(key, value))
}

func field(key string, value slog.Value) log.Field {
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

// text is the value in words, those of structs with the names of their fields, by which secrets are found. Neither a
// method of the value that panics nor a value with itself in it must end the program.
func text(value slog.Value) (s string) {
	defer func() {
		if recover() != nil {
			s = "(the value panicked)"
		}
	}()
	if value.Kind() != slog.KindAny {
		return value.String()
	}
	switch value.Any().(type) {
	case error, fmt.Stringer, fmt.Formatter:
		return model.Sprint(value.Any())
	}
	if v := reflect.ValueOf(value.Any()); v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return string(v.Bytes())
	}
	return model.SprintFields(value.Any())
}

// copyTo logs the record on the span. A tracer that panics must not end the program.
func (s spanAttrs) copyTo(span opentracing.Span, r slog.Record) {
	defer func() { _ = recover() }()
	s.fields = slices.Clip(s.fields)
	r.Attrs(func(a slog.Attr) bool {
		s.add(s.open, 0, a)
		return len(s.fields) < maxAttrs
	})
	span.LogFields(append([]log.Field{
		log.Event("log"),
		log.String("level", r.Level.String()),
		log.Message(model.Cut(semconv.MaskText(r.Message), semconv.MaxMessage)),
	}, s.fields...)...)
}
