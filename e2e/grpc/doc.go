// Package grpc runs grpcmw below, above and between what other projects make of gRPC: its interop suite, transparent
// proxies, channels within the process, other implementations of the protocol, codecs and interceptors. It is a module
// of its own, since those require newer versions than the kit does.
package grpc
