// Package engine knows what jaeger-client-go keeps to itself about a span, above all what costs the most: the list of its
// tags. Its SetTag takes three locks a tag and lets the list grow by doubling; its Tags makes a map. Here a tag takes one
// lock and mostly finds room, and the tags are read as they stand.
//
// The library is frozen, but still nothing is taken for granted: where its fields are not what they were, everything
// goes through its own methods, and only speed and the order of tags are lost.
package engine
