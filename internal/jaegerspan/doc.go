// Package jaegerspan is the only place that knows the memory layout of [jaeger.Span] and [jaeger.SpanContext]. It holds
// casts between these types and mirrors of them with exported fields, one check that the layouts are the same, and no
// policy: package engine decides what is done with the fields.
//
// jaeger-client-go is frozen, so the layout does not change. Should it be otherwise in some build, [LayoutMatches] is
// false, and callers use the library's own methods: spans stay right, only speed and the order of tags are lost.
//
// Apart from package proflabel, which needs it to link to the runtime, no other package of this module may import
// unsafe: see docs/decisions/unsafe.md.
package jaegerspan
