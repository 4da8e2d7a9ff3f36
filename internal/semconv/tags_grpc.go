package semconv

// The prefixes of metadata tags, followed by the key, in either vocabulary.
const (
	PrefixMetadata     = "grpc.metadata."
	PrefixOTelMetadata = "rpc.request.metadata."
)

// Tags of RPCs.
var (
	RPCSystem = define(Tag{
		OpenTracing: "rpc.system", OTel: "rpc.system.name", Type: String, Sides: GRPC, Meaning: "grpc",
	})
	RPCService = define(Tag{
		OpenTracing: "rpc.service", Type: String, Sides: GRPC,
		When: "the method is known", Meaning: "full name of the service",
	})
	RPCMethod = define(Tag{
		OpenTracing: "rpc.method", Type: String, Sides: GRPC, Meaning: "name of the method without its service",
	})
	RPCFullMethod = define(Tag{
		OTel: "rpc.method", Type: String, Sides: GRPC, When: "the vocabulary is OTel alone",
		Meaning: "full name of the method, service/method",
	})
	RPCMethodOriginal = define(Tag{
		OpenTracing: "rpc.method_original", InAll: true, Type: String, Sides: GRPC, When: "the method is unknown",
		Meaning: "the method as it was sent; the operation name is fixed then",
	})
	GRPCType = define(Tag{
		OpenTracing: "grpc.type", InAll: true, Type: String, Sides: GRPC,
		Meaning: "unary, client_stream, server_stream or bidi",
	})
	GRPCStatusCode = define(Tag{
		OpenTracing: "rpc.grpc.status_code", Type: Int, Sides: GRPC, Meaning: "the status code",
	})
	RPCResponseStatusCode = define(Tag{
		OTel: "rpc.response.status_code", Type: String, Sides: GRPC, Meaning: "the status code by name, such as NOT_FOUND",
	})
	GRPCCode = define(Tag{
		OpenTracing: "grpc.code", Type: String, Sides: GRPC, When: "the status is not OK",
		Meaning: "the status code by Go's name, such as NotFound",
	})
	GRPCTimeout = define(Tag{
		OpenTracing: "grpc.timeout_ms", InAll: true, Type: Int, Unit: "ms", Sides: GRPC, When: "the RPC has a deadline",
		Meaning: "time left when the RPC began",
	})
	GRPCAttempt = define(Tag{
		OpenTracing: "grpc.attempt", InAll: true, Type: Int, Sides: GRPC, When: "the RPC is a retry",
		Meaning: "number of this attempt, counted from 1",
	})
	MessagesSent = define(Tag{
		OpenTracing: "rpc.messages.sent", InAll: true, Type: Int, Sides: GRPC, When: "the RPC is a stream",
		Meaning: "messages sent",
	})
	MessagesReceived = define(Tag{
		OpenTracing: "rpc.messages.received", InAll: true, Type: Int, Sides: GRPC, When: "the RPC is a stream",
		Meaning: "messages received",
	})
	GRPCFirstMessage = define(Tag{
		OpenTracing: "grpc.first_message_ms", InAll: true, Type: Float, Unit: "ms", Sides: GRPC,
		When: "a stream had a message", Meaning: "time from the start of the span to the first message",
	})
	GRPCServerTraceID = define(Tag{
		OpenTracing: "grpc.server_trace_id", InAll: true, Type: String, Sides: GRPCClient,
		When: "WithTraceIDTrailer is set and the server sent it", Meaning: "trace id of the server's span",
	})
	DroppedMetadata = define(Tag{
		OpenTracing: "spanloom.dropped_metadata", InAll: true, Type: Int, Sides: GRPCClient,
		When:    "a tracer wrote metadata that gRPC refuses, or more than servers accept",
		Meaning: "how many pairs were left out or cut",
	})
)
