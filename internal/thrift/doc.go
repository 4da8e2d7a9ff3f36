// Package thrift writes and reads spans as Jaeger's thrift: the compact protocol, which an agent takes in UDP
// datagrams, and the binary protocol, which a collector takes over HTTP at /api/traces. The structures are those of
// https://github.com/jaegertracing/jaeger-idl/blob/main/thrift/jaeger.thrift.
//
// Times are cut to microseconds. The W3C tracestate is the tag w3c.tracestate, as Jaeger keeps it.
//
// The decoders take hostile input: every length and count is checked against the bytes that are left, and what they
// allocate is bounded by model.DecodeLimits.
package thrift
