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
	eventField   = "event"
	unnamedEvent = "log" // how a log without a name is exported

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

// tagValue returns the value of an attribute as that of a tag. Booleans, numbers and strings keep their types; others,
// and those of keys that have a meaning for the kit, are a [model.Value].
func tagValue(a attribute.KeyValue) any {
	if hasMeaning(string(a.Key)) {
		return valueOf(a.Value).Literal()
	}
	switch a.Value.Type() {
	case attribute.BOOL:
		return a.Value.AsBool()
	case attribute.INT64:
		return a.Value.AsInt64()
	case attribute.FLOAT64:
		return a.Value.AsFloat64()
	case attribute.STRING:
		return a.Value.AsString()
	}
	return valueOf(a.Value)
}

// fieldOf returns an attribute of an event as a field of a log.
func fieldOf(a attribute.KeyValue) log.Field {
	key := string(a.Key)
	switch a.Value.Type() {
	case attribute.BOOL:
		return log.Bool(key, a.Value.AsBool())
	case attribute.INT64:
		return log.Int64(key, a.Value.AsInt64())
	case attribute.FLOAT64:
		return log.Float64(key, a.Value.AsFloat64())
	case attribute.STRING:
		return log.String(key, a.Value.AsString())
	}
	return log.Object(key, valueOf(a.Value))
}

func valueOf(v attribute.Value) model.Value {
	switch v.Type() {
	case attribute.BOOL:
		return model.Bool(v.AsBool())
	case attribute.INT64:
		return model.Int(v.AsInt64())
	case attribute.FLOAT64:
		return model.Float(v.AsFloat64())
	case attribute.STRING:
		return model.String(v.AsString())
	case attribute.BYTESLICE:
		return model.Bytes(v.AsByteSlice())
	case attribute.BOOLSLICE:
		return listOf(v.AsBoolSlice(), model.Bool)
	case attribute.INT64SLICE:
		return listOf(v.AsInt64Slice(), model.Int)
	case attribute.FLOAT64SLICE:
		return listOf(v.AsFloat64Slice(), model.Float)
	case attribute.STRINGSLICE:
		return listOf(v.AsStringSlice(), model.String)
	case attribute.SLICE:
		return listOf(v.AsSlice(), valueOf)
	case attribute.MAP:
		return model.Map(modelTags(v.AsMap()))
	}
	return model.Empty()
}

func listOf[T any](list []T, value func(T) model.Value) model.Value {
	values := make([]model.Value, len(list))
	for i, e := range list {
		values[i] = value(e)
	}
	return model.List(values)
}

// modelTags returns attributes in the types of the model. Of several with one key the last one counts.
func modelTags(kv []attribute.KeyValue) []model.Tag {
	if len(kv) == 0 {
		return nil
	}
	tags := make([]model.Tag, 0, len(kv))
	index := make(map[attribute.Key]int, len(kv))
	for _, a := range kv {
		tag := model.Tag{Key: string(a.Key), Value: valueOf(a.Value)}
		if i, exists := index[a.Key]; exists {
			tags[i] = tag
			continue
		}
		index[a.Key] = len(tags)
		tags = append(tags, tag)
	}
	return tags
}

// linkFlags returns the flags of a link as OTLP has them.
func linkFlags(sc trace.SpanContext) uint32 {
	flags := uint32(sc.TraceFlags()) | flagHasIsRemote
	if sc.IsRemote() {
		flags |= flagIsRemote
	}
	return flags
}
