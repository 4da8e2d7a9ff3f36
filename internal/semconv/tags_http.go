package semconv

// The prefixes of header tags, followed by the header's name in lower case.
const (
	PrefixRequestHeader  = "http.request.header."
	PrefixResponseHeader = "http.response.header."
)

// Tags of HTTP requests.
var (
	HTTPMethod = define(Tag{
		OpenTracing: "http.method", OTel: "http.request.method", Type: String, Sides: HTTP,
		Meaning: "the method; _OTHER if it is none of the known ones, of which there is a bounded number",
	})
	HTTPMethodOriginal = define(Tag{
		OpenTracing: "http.method_original", OTel: "http.request.method_original", Type: String, Sides: HTTP,
		When: "the method is unknown", Meaning: "the method as it was sent",
	})
	HTTPURL = define(Tag{
		OpenTracing: "http.url", OTel: "url.full", Type: String, Sides: HTTPClient, Meaning: "the URL without secrets",
	})
	HTTPServerURL = define(Tag{
		OpenTracing: "http.url", Type: String, Sides: HTTPServer, Meaning: "the URL without secrets",
	})
	URLScheme = define(Tag{
		OTel: "url.scheme", Type: String, Sides: HTTPServer, Meaning: "http or https, by the connection",
	})
	URLPath = define(Tag{
		OTel: "url.path", Type: String, Sides: HTTPServer, Meaning: "the path without secrets",
	})
	URLQuery = define(Tag{
		OTel: "url.query", Type: String, Sides: HTTPServer, When: "there is one", Meaning: "the query without secrets",
	})
	URLTemplate = define(Tag{
		OpenTracing: "url.template", InAll: true, Type: String, Sides: HTTPClient, When: "ContextWithRoute gave it",
		Meaning: "the template of the path, which also names the span",
	})
	HTTPRoute = define(Tag{
		OpenTracing: "http.route", OTel: "http.route", Type: String, Sides: HTTPServer, When: "a route matched",
		Meaning: "the template of the path, such as /users/{id}",
	})
	HTTPStatusCode = define(Tag{
		OpenTracing: "http.status_code", OTel: "http.response.status_code", InAll: true, Type: Int, Sides: HTTP,
		When:    "there was a response",
		Meaning: "the final status; Jaeger reads http.status_code, so it stands in every vocabulary",
	})
	HTTPRequestSize = define(Tag{
		OpenTracing: "http.request_size", OTel: "http.request.body.size", Type: Int, Unit: "By", Sides: HTTP,
		When: "the request has a body of known length", Meaning: "its length",
	})
	HTTPResponseSize = define(Tag{
		OpenTracing: "http.response_size", OTel: "http.response.body.size", Type: Int, Unit: "By", Sides: HTTP,
		When: "the response can have a body", Meaning: "how much of it was written, or read by the client",
	})
	HTTPUserAgent = define(Tag{
		OpenTracing: "http.user_agent", OTel: "user_agent.original", Type: String, Sides: HTTPServer, When: "it was sent",
		Meaning: "the User-Agent header",
	})
	HTTPClientIP = define(Tag{
		OpenTracing: "http.client_ip", Type: String, Sides: HTTPServer, When: "WithTrustedProxies is set",
		Meaning: "IP address of the client, as the trusted proxies report it",
	})
	ClientAddress = define(Tag{
		OTel: "client.address", Type: String, Sides: HTTPServer, When: "the address is known",
		Meaning: "IP address of the client, as the trusted proxies report it, else of the peer",
	})
	NetworkProtocolVersion = define(Tag{
		OTel: "network.protocol.version", Type: String, Sides: HTTP, Meaning: "1.0, 1.1, 2 or 3",
	})
	HTTPFirstByte = define(Tag{
		OpenTracing: "http.first_byte_ms", InAll: true, Type: Float, Unit: "ms", Sides: HTTP,
		When: "the response is streamed", Meaning: "time from the start of the span to the first byte of the response",
	})
	HTTPStreaming = define(Tag{
		OpenTracing: "http.streaming", InAll: true, Type: Boolean, Sides: HTTPServer,
		When: "the handler flushed the response", Meaning: "true",
	})
	HTTPHijacked = define(Tag{
		OpenTracing: "http.hijacked", InAll: true, Type: Boolean, Sides: HTTPServer,
		When: "the handler hijacked the connection", Meaning: "true",
	})
	HTTPAborted = define(Tag{
		OpenTracing: "http.aborted", InAll: true, Type: Boolean, Sides: HTTPServer,
		When: "the client left, or the handler aborted the response", Meaning: "true",
	})
	HTTPWriteError = define(Tag{
		OpenTracing: "http.write_error", InAll: true, Type: String, Sides: HTTPServer, When: "a write to the client failed",
		Meaning: "the first such error",
	})
	HTTPBodyIncomplete = define(Tag{
		OpenTracing: "http.body.incomplete", InAll: true, Type: Boolean, Sides: HTTPClient,
		When: "the response body was not read to its end", Meaning: "true",
	})
	HTTPResendCount = define(Tag{
		OpenTracing: "http.request.resend_count", InAll: true, Type: Int, Sides: HTTPClient,
		When: "the request is a redirect or a counted resend", Meaning: "how many requests preceded it",
	})
)
