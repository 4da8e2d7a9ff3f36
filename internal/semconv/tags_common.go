package semconv

// The keys that codecs and the page look for. OTLP has fields for the facts of some of them.
const (
	KeySpanKind          = "span.kind"
	KeyError             = "error"
	KeyErrorType         = "error.type"
	KeyErrorKind         = "error.kind" // of the log of an error
	KeyStatusCode        = "otel.status_code"
	KeyStatusDescription = "otel.status_description"
	KeyLinkTraceID       = "link.trace_id"
	KeyLinkSpanID        = "link.span_id"
	KeyScopeName         = "otel.scope.name"
	KeyScopeVersion      = "otel.scope.version"
	KeyDetails           = "otel.details"         // of package model, within the process only
	KeyRefType           = "opentracing.ref_type" // of a link
)

// PanicType is the value of [ErrorType] and of the error.kind log field after a panic.
const PanicType = "panic"

// PrefixBaggage is the prefix of tags of baggage items, followed by the item's key.
const PrefixBaggage = "baggage."

// Tags of every request.
var (
	SpanKind = define(Tag{
		OpenTracing: KeySpanKind, InAll: true, Type: String, Sides: Any,
		Meaning: "server or client; set at the start, because samplers read it",
	})
	Component = define(Tag{
		OpenTracing: "component", InAll: true, Type: String, Sides: Any,
		Meaning: "net/http or grpc; WithTags may override it",
	})
	Error = define(Tag{
		OpenTracing: KeyError, InAll: true, Type: Boolean, Sides: Any, When: "the request failed",
		Meaning: "true, and set once; never false",
	})
	ErrorType = define(Tag{
		OpenTracing: KeyErrorType, OTel: KeyErrorType, Type: String, Sides: Any,
		When: "the request failed; over HTTP also if it ended with an error that is no failure",
		Meaning: "panic, timeout, context_canceled, the status, or the Go type of the error; " +
			"of RPCs panic, goexit or NOT_FOUND etc.",
	})
	StatusCode = define(Tag{
		OpenTracing: KeyStatusCode, InAll: true, Type: String, Sides: HTTP,
		When:    "the status looks like an error and an outcome hook or error policy decided that it is none",
		Meaning: "OK, which keeps backends from deriving an error from the status",
	})
	StatusDescription = define(Tag{
		OpenTracing: KeyStatusDescription, InAll: true, Type: String, Sides: Any,
		When:    "the request failed, or a gRPC status is not OK and has a message",
		Meaning: "the error in words; of a failed span the status message of OTLP",
	})
	LinkTraceID = define(Tag{
		OpenTracing: KeyLinkTraceID, InAll: true, Type: String, Sides: Any,
		When:    "a caller at a public endpoint sent a context; a client span is a resend",
		Meaning: "the trace id of a span that is related and no parent; becomes a link",
	})
	LinkSpanID = define(Tag{
		OpenTracing: KeyLinkSpanID, InAll: true, Type: String, Sides: Any, When: "as link.trace_id",
		Meaning: "the span id of that span",
	})
	PeerService = define(Tag{
		OpenTracing: "peer.service", InAll: true, Type: String, Sides: Client, When: "WithPeerService returned a name",
		Meaning: "the name of the service that is called",
	})
	HookPanics = define(Tag{
		OpenTracing: "spanloom.hook_panics", InAll: true, Type: Int, Sides: Any,
		When: "a function given as an option panicked", Meaning: "how many panics were recovered",
	})
)

// Addresses of the other end. A vocabulary's own words for addresses differ, so each name stands alone.
var (
	PeerAddress = define(Tag{
		OpenTracing: "peer.address", Type: String, Sides: HTTPServer | GRPC, When: "the peer has an address",
		Meaning: "address of the other end: of the connection, or the target of a gRPC client",
	})
	PeerHostname = define(Tag{
		OpenTracing: "peer.hostname", Type: String, Sides: HTTPClient, Meaning: "host of the URL",
	})
	PeerIPv4 = define(Tag{
		OpenTracing: "peer.ipv4", Type: String, Sides: HTTPServer,
		When: "the peer's address is IPv4", Meaning: "its IP address",
	})
	PeerIPv6 = define(Tag{
		OpenTracing: "peer.ipv6", Type: String, Sides: HTTPServer,
		When: "the peer's address is IPv6", Meaning: "its IP address",
	})
	PeerPort = define(Tag{
		OpenTracing: "peer.port", Type: Int, Sides: HTTP, When: "the port is known", Meaning: "port of the other end",
	})
	NetworkPeerAddress = define(Tag{
		OTel: "network.peer.address", Type: String, Sides: HTTPServer | GRPCServer, When: "the peer has an address",
		Meaning: "IP address or socket of the other end of the connection",
	})
	NetworkPeerPort = define(Tag{
		OTel: "network.peer.port", Type: Int, Sides: HTTPServer | GRPCServer, When: "the port is known", Meaning: "its port",
	})
	ServerAddress = define(Tag{
		OTel: "server.address", Type: String, Sides: HTTP | GRPCClient,
		Meaning: "host that the request is for: of the Host header, the URL, or the resolved address of a gRPC server",
	})
	ServerPort = define(Tag{
		OTel: "server.port", Type: Int, Sides: HTTP | GRPCClient, When: "the port is known", Meaning: "its port",
	})
)
