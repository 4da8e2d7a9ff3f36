// Package weave instruments programs at compile time, with no line of code: a weaver that is called in place of go
// build adds what the middleware, the interceptors and the tracer of this module do to net/http, chi, gRPC and func
// main. A program imports this package in one file that is never compiled, beside its go.mod:
//
//	//go:build tools
//
//	package tools
//
//	import _ "github.com/spanloom/spanloom/weave" // integration
//
// The weaver is Orchestrion. It reads the rules, which are in the files orchestrion.yml beside the packages
// [github.com/spanloom/spanloom/httpmw], [github.com/spanloom/spanloom/grpcmw],
// [github.com/spanloom/spanloom/tracerinit] and [github.com/spanloom/spanloom/tracerinit/jaegercfg], and is not part of
// the program. docs/weaving.md in the repository says how it is called, what is covered and what is not. To have less,
// import some of these packages instead of this one.
package weave
