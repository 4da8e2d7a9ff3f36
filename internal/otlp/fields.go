package otlp

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/semconv"
)

// Field numbers of opentelemetry-proto v1, https://github.com/open-telemetry/opentelemetry-proto.
const (
	requestResourceSpans protowire.Number = 1

	resourceSpansResource   protowire.Number = 1
	resourceSpansScopeSpans protowire.Number = 2
	resourceSpansOldSpans   protowire.Number = 1000 // instrumentation_library_spans before OTLP 0.15
	resourceAttributes      protowire.Number = 1
	scopeSpansScope         protowire.Number = 1
	scopeSpansSpans         protowire.Number = 2
	scopeSpansSchemaURL     protowire.Number = 3
	scopeName               protowire.Number = 1
	scopeVersion            protowire.Number = 2
	scopeAttributes         protowire.Number = 3

	spanTraceID    protowire.Number = 1
	spanSpanID     protowire.Number = 2
	spanTraceState protowire.Number = 3
	spanParentID   protowire.Number = 4
	spanName       protowire.Number = 5
	spanKind       protowire.Number = 6
	spanStart      protowire.Number = 7
	spanEnd        protowire.Number = 8
	spanAttributes protowire.Number = 9
	spanEvents     protowire.Number = 11
	spanLinks      protowire.Number = 13
	spanStatus     protowire.Number = 15
	spanFlags      protowire.Number = 16

	spanDroppedAttributes protowire.Number = 10
	spanDroppedEvents     protowire.Number = 12
	spanDroppedLinks      protowire.Number = 14

	statusMessage protowire.Number = 2
	statusCode    protowire.Number = 3

	eventTime       protowire.Number = 1
	eventNameField  protowire.Number = 2
	eventAttributes protowire.Number = 3
	eventDropped    protowire.Number = 4 // attributes

	linkTraceID    protowire.Number = 1
	linkSpanID     protowire.Number = 2
	linkTraceState protowire.Number = 3
	linkAttributes protowire.Number = 4
	linkDropped    protowire.Number = 5 // attributes
	linkFlags      protowire.Number = 6

	keyValueKey   protowire.Number = 1
	keyValueValue protowire.Number = 2

	anyString protowire.Number = 1
	anyBool   protowire.Number = 2
	anyInt    protowire.Number = 3
	anyDouble protowire.Number = 4
	anyArray  protowire.Number = 5
	anyMap    protowire.Number = 6
	anyBytes  protowire.Number = 7

	listValues protowire.Number = 1

	responsePartialSuccess protowire.Number = 1
	partialRejected        protowire.Number = 1
	partialMessage         protowire.Number = 2

	rpcStatusCode    protowire.Number = 1
	rpcStatusMessage protowire.Number = 2
)

// The names that Jaeger uses for properties for which OTLP has fields.
const (
	tagKind              = semconv.KeySpanKind
	tagError             = semconv.KeyError
	tagStatusCode        = semconv.KeyStatusCode
	tagStatusDescription = semconv.KeyStatusDescription
	tagScopeName         = semconv.KeyScopeName
	tagScopeVersion      = semconv.KeyScopeVersion
	tagRefType           = semconv.KeyRefType
	tagService           = "service.name"
	fieldEvent           = "event"
	fieldMessage         = "message"

	refChildOf     = "child_of"
	refFollowsFrom = "follows_from"

	unnamedEvent   = "log"
	errorEvent     = "error"
	unknownService = "unknown_service"

	// scopeOfKit is the instrumentation scope of every span that this kit exports.
	scopeOfKit = "github.com/spanloom/spanloom"
)
