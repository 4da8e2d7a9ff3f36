// Package fromjaeger copies the finished spans of jaeger-client-go into package model, within limits.
//
// [Load] copies any span. [LoadSimple] refuses a span that holds a value whose methods would have to be called, such as
// an error, a Stringer or a lazy log field. It calls no code of the application, so it may run in the goroutine that
// finishes the span, whatever locks that goroutine holds.
package fromjaeger
