package export

import "sync/atomic"

var otlpGRPC atomic.Pointer[func(OTLPConfig) Factory]

// RegisterOTLPGRPC is called by package otlpgrpc's init, so that OTEL_EXPORTER_OTLP_PROTOCOL=grpc works in programs
// that import it and others do not link grpc.
func RegisterOTLPGRPC(build func(OTLPConfig) Factory) { otlpGRPC.Store(&build) }

// OTLPGRPC returns what RegisterOTLPGRPC was given; false if package otlpgrpc is not linked.
func OTLPGRPC() (build func(OTLPConfig) Factory, ok bool) {
	if p := otlpGRPC.Load(); p != nil {
		return *p, true
	}
	return nil, false
}
