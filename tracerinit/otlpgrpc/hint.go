package otlpgrpc

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/export"
)

// hint returns what to change about the configuration if the failure comes from one protocol spoken to the port of
// another. The words are those of grpc-go and [crypto/tls].
func (s *sender) hint(st *status.Status, zipped bool) string {
	text := st.Message()
	if export.WantsCertificate(text) {
		return hintCert
	}
	for _, h := range []struct{ words, hint string }{
		{"failed to do connect handshake", hintProxy},
		{"looked like an HTTP/1.1 header", hintHTTP},
		{"http2: frame too large", hintHTTP},
		{"malformed HTTP response", hintHTTP},
		{"unexpected content-type", hintHTTP},
		{"no application protocol", hintHTTP},
		{"signed by unknown authority", hintRoots},
		{"produced zero addresses", hintNoHost},
		{"first record does not look like a TLS handshake", hintNoTLS},
		{"error reading server preface", hintHungUp},
		{"broken pipe", hintHungUp},
		{"connection reset", hintHungUp},
	} {
		switch {
		case !strings.Contains(text, h.words) || isGateway(st):
		case h.hint == hintHungUp && s.target.secure:
			return hintMaybeCert
		default:
			return h.hint
		}
	}
	switch {
	case st.Code() == codes.Unimplemented && zipped && !s.zip.auto:
		return "the message is compressed since WithCompression or OTEL_EXPORTER_OTLP_COMPRESSION says so"
	case st.Code() == codes.Unimplemented:
		return "the server does not offer OTLP's trace service: is this the right port?"
	}
	return ""
}

// isGateway reports whether a proxy in front of the receiver answered, in HTTP, since it refuses the client or does not
// reach the receiver. Servers that do not speak gRPC have other reasons to refuse it, such as an unknown path.
func isGateway(st *status.Status) bool {
	switch st.Code() {
	case codes.Unavailable, codes.Unauthenticated, codes.PermissionDenied:
		return strings.Contains(st.Message(), "unexpected HTTP status code")
	}
	return false
}

const (
	hintProxy = "the proxy that HTTPS_PROXY names refuses: it has to be one of kind http that takes the user and the " +
		"password in it"
	hintHTTP = "this looks like an HTTP port: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or use tracerinit.OTLPHTTP, " +
		"or use the port for gRPC, mostly 4317; if it is one of gRPC with TLS, write https://"
	hintNoTLS = "the server does not speak TLS: write http:// instead of https://, " +
		"or set OTEL_EXPORTER_OTLP_INSECURE=true"
	hintRoots = "have its CA trusted: OTEL_EXPORTER_OTLP_CERTIFICATE or WithTLS"
	hintCert  = "the server wants a client certificate that it trusts: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and " +
		"_CLIENT_KEY, or WithTLS"
	hintMaybeCert = "if the server requires a client certificate that it trusts: " +
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY, or WithTLS"
	hintNoHost = "no such host: the name has no address"
	hintHungUp = "if the port speaks TLS, write https:// instead of http://"
)
