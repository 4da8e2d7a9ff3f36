package semconv

import "slices"

// A Tag is one fact about a request, with its names in both vocabularies. Tags are defined once, in the files tags_*.go
// of this package, and are not changed; docs/tags.md lists them.
type Tag struct {
	OpenTracing string // empty if the fact has no name there
	OTel        string // empty if the fact has no name there
	InAll       bool   // the OpenTracing name is written in every vocabulary
	Type        Type
	Unit        string // "", "ms" or "By"
	Sides       Side
	When        string // when the tag is set; "" is always
	Meaning     string
}

// Type is the type of a tag's value.
type Type string

// The types of tags.
const (
	String  Type = "string"
	Int     Type = "int"
	Float   Type = "float"
	Boolean Type = "bool"
)

// Side is a set of the spans that a tag stands on.
type Side uint8

// The sides of a request, and of the process that makes the spans.
const (
	HTTPServer Side = 1 << iota
	HTTPClient
	GRPCServer
	GRPCClient
	Process

	HTTP   = HTTPServer | HTTPClient
	GRPC   = GRPCServer | GRPCClient
	Server = HTTPServer | GRPCServer
	Client = HTTPClient | GRPCClient
	Any    = HTTP | GRPC
)

// all are the tags in the order of their definition.
var all []*Tag

func define(t Tag) *Tag {
	all = append(all, &t)
	return &t
}

// Tags returns all tags.
func Tags() []*Tag { return slices.Clone(all) }

// Keys returns the names under which v writes the tag: none, one or two. Those that it does not write are empty, and
// two names are different.
func (t *Tag) Keys(v Vocabulary) (first, second string) {
	if t.InAll || WritesOpenTracing(v) {
		first = t.OpenTracing
	}
	if t.OTel != first && WritesOTel(v) {
		second = t.OTel
	}
	return first, second
}
