// Package engine starts and ends the spans of jaeger-client-go without the detours that the library takes. To start one,
// StartSpan applies options, boxes contexts, copies baggage, asks a sampler through an interface made for more, and
// makes lists that then grow; each tag takes three locks, Finish four. An Engine makes a span, its reference and room
// for its tags in one piece, with its first tags in it, and ends it under one lock. The spans are the library's own, and
// whatever else is done with them is done by it.
//
// For that the package knows how the library's types are laid out. The library is frozen, but still nothing is taken for
// granted: where its fields are not what they were, everything goes through its own methods, and only speed and the
// order of tags are lost.
package engine
