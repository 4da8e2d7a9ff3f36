package model

// Details are what OpenTelemetry records of a span and OpenTracing has no place for. A span carries them as the value
// of a tag; package fromjaeger moves them to where they belong.
type Details struct {
	Scope   *Scope
	Links   []Ref // those that are references, too, replace them
	Dropped Dropped
}

// String says in a word what readers of tags can do with Details, which is nothing.
func (*Details) String() string { return "details" }

// Scope is what the instrumentation scope of a span has besides its name and version, which are tags.
type Scope struct {
	SchemaURL  string
	Attributes []Tag
}

// Link is what an OpenTelemetry link has beyond a reference.
type Link struct {
	TraceState string
	Flags      uint32 // as OTLP has them
	Attributes []Tag
	Dropped    uint32 // attributes
}

// EventName is the name of an event, as the value of its field "event", that would else be taken for something else.
type EventName string

// DroppedFields is a value of a field that is none: so many fields of the log were dropped before.
type DroppedFields uint32
