package semconv

// Limits of what the middlewares record, in bytes. What is longer is cut; what is recorded of a request is bounded
// whatever a remote caller sends. The limits of [tracerinit] apply on top when a span is exported.
//
// [tracerinit]: https://pkg.go.dev/github.com/spanloom/spanloom/tracerinit#Limits
const (
	MaxMessage  = 1024    // an error's message, in the log and in otel.status_description
	MaxStack    = 8 << 10 // the stack of a panic
	MaxURL      = 256     // a URL, a path or a query
	MaxHeader   = 1024    // the values of one header
	MaxMetadata = 256     // the values of one metadata key
	MaxBaggage  = 256     // the value of one baggage item
	MaxMethod   = 64      // an unknown HTTP method
)
