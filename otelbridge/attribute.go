package otelbridge

import (
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

var samplingPriority = string(ext.SamplingPriority)

const (
	eventField = "event"

	// maxReferences bounds the links that are references, too.
	maxReferences = 128

	flagHasIsRemote = 0x100 // of OTLP
	flagIsRemote    = 0x200
)

// isKitTag reports whether the bridge or the sampler sets tags of this key, which are no attributes.
func isKitTag(key string) bool {
	switch key {
	case semconv.KeySpanKind, semconv.KeyScopeName, semconv.KeyScopeVersion, "sampler.type", "sampler.param":
		return true
	}
	return false
}

// hasMeaning reports whether exporters take a tag of this key for more than an attribute.
func hasMeaning(key string) bool {
	switch key {
	case semconv.KeyError, semconv.KeyStatusCode, semconv.KeyStatusDescription,
		semconv.KeyLinkTraceID, semconv.KeyLinkSpanID:
		return true
	}
	return isKitTag(key)
}

// maxDepth bounds lists and maps in each other, as OpenTelemetry's SDK does.
const maxDepth = 64

// converter converts attributes, and shortens their texts to a limit.
type converter struct {
	limit int
	cut   uint32 // how many values were shortened
}

// tagValue returns the value of an attribute as that of a tag. Booleans, numbers and strings keep their types; others,
// and those of keys that have a meaning for the kit, are a [model.Value].
func (c *converter) tagValue(a attribute.KeyValue) any {
	if hasMeaning(string(a.Key)) {
		return c.value(a.Value, 1).Literal()
	}
	switch a.Value.Type() {
	case attribute.BOOL:
		return a.Value.AsBool()
	case attribute.INT64:
		return a.Value.AsInt64()
	case attribute.FLOAT64:
		return a.Value.AsFloat64()
	case attribute.STRING:
		if s := a.Value.AsString(); c.fits(s) {
			return s
		}
	}
	return c.value(a.Value, 1)
}

// fieldOf returns an attribute of an event as a field of a log. A field without a key must be a [model.Value].
func (c *converter) fieldOf(a attribute.KeyValue) log.Field {
	key := string(a.Key)
	if key == "" {
		return log.Object(key, c.value(a.Value, 1))
	}
	switch a.Value.Type() {
	case attribute.BOOL:
		return log.Bool(key, a.Value.AsBool())
	case attribute.INT64:
		return log.Int64(key, a.Value.AsInt64())
	case attribute.FLOAT64:
		return log.Float64(key, a.Value.AsFloat64())
	case attribute.STRING:
		if s := a.Value.AsString(); c.fits(s) {
			return log.String(key, s)
		}
	}
	return log.Object(key, c.value(a.Value, 1))
}

func (c *converter) fits(s string) bool { return c.limit < 0 || len(s) <= c.limit }

// text returns s within the limit of characters. What then has more bytes than characters must not be shortened again.
func (c *converter) text(s string) model.Value {
	if c.fits(s) {
		return model.String(s)
	}
	short := cutText(s, c.limit)
	if len(short) < len(s) {
		c.cut++
	}
	return model.String(short).Whole()
}

func (c *converter) bytes(b []byte) model.Value {
	if c.limit >= 0 && len(b) > c.limit {
		b = b[:c.limit]
		c.cut++
	}
	return model.Bytes(b)
}

func (c *converter) value(v attribute.Value, depth int) model.Value {
	switch v.Type() {
	case attribute.BOOL:
		return model.Bool(v.AsBool())
	case attribute.INT64:
		return model.Int(v.AsInt64())
	case attribute.FLOAT64:
		return model.Float(v.AsFloat64())
	case attribute.STRING:
		return c.text(v.AsString())
	}
	if depth > maxDepth {
		return model.Empty()
	}
	switch v.Type() {
	case attribute.BYTESLICE:
		return c.bytes(v.AsByteSlice())
	case attribute.BOOLSLICE:
		return listOf(v.AsBoolSlice(), model.Bool)
	case attribute.INT64SLICE:
		return listOf(v.AsInt64Slice(), model.Int)
	case attribute.FLOAT64SLICE:
		return listOf(v.AsFloat64Slice(), model.Float)
	case attribute.STRINGSLICE:
		return listOf(v.AsStringSlice(), c.text)
	case attribute.SLICE:
		return listOf(v.AsSlice(), func(e attribute.Value) model.Value { return c.value(e, depth+1) })
	case attribute.MAP:
		return model.Map(unique(c.tags(v.AsMap(), depth+1))).Whole()
	}
	return model.Empty()
}

func listOf[T any](list []T, value func(T) model.Value) model.Value {
	values := make([]model.Value, len(list))
	for i, e := range list {
		values[i] = value(e)
	}
	return model.List(values).Whole()
}

// tags returns attributes in the types of the model.
func (c *converter) tags(kv []attribute.KeyValue, depth int) []model.Tag {
	if len(kv) == 0 {
		return nil
	}
	tags := make([]model.Tag, len(kv))
	for i, a := range kv {
		tags[i] = model.Tag{Key: string(a.Key), Value: c.value(a.Value, depth)}
	}
	return tags
}

// unique leaves one tag of each key, the last one in the place of the first.
func unique(tags []model.Tag) []model.Tag {
	if len(tags) < 2 {
		return tags
	}
	kept := tags[:0]
	index := make(map[string]int, len(tags))
	for _, t := range tags {
		if i, exists := index[t.Key]; exists {
			kept[i] = t
			continue
		}
		index[t.Key] = len(kept)
		kept = append(kept, t)
	}
	return kept
}

// linkFlags returns the flags of a link as OTLP has them.
func linkFlags(sc trace.SpanContext) uint32 {
	flags := uint32(sc.TraceFlags()) | flagHasIsRemote
	if sc.IsRemote() {
		flags |= flagIsRemote
	}
	return flags
}
