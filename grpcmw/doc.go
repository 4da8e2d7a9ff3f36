// Package grpcmw traces gRPC with four interceptors, one for unary and one for streaming RPCs on each side:
//
//	server := grpc.NewServer(grpcmw.ServerOptions(nil)...)
//	conn, err := grpc.NewClient(target, append(grpcmw.DialOptions(nil), grpc.WithTransportCredentials(creds))...)
//
// Every RPC becomes one span named by its full method, such as /shop.Orders/Place. It has the status code, the message
// of a status that is not OK, the type of the RPC, the peer, the deadline, message counts and the attempt. It ends
// exactly once: when the handler returns or panics, or when a client's stream ends, with the status that the caller
// got. If tracer is nil, [opentracing.GlobalTracer] is looked up on every RPC. All tags are listed in
// https://github.com/spanloom/spanloom/blob/main/docs/tags.md, and the options, beside those of httpmw, in options.md.
//
// Messages make no logs, however many there are: the span of a stream has their number and, as grpc.first_message_ms,
// when the first one of the answer came. [WithCheckpoints] shows streams that go on for hours before they end.
// [WithObserver] is for metrics: it is notified of every RPC, traced or not.
//
// The interceptors do not change an RPC: errors pass as they are, panics go on with their value, metadata that the
// caller made is copied and not written to, baggage that gRPC could not send, or that servers refuse for its size, is
// left out and counted. If gRPC refuses to send an RPC because the headers exceed a server's limit, the RPC is made
// once more with less of what was added; a unary one with an interceptor in between fails once, and the next has less.
// One difference is left: a key of metadata in upper case, for which gRPC fails an RPC, is sent in lower case. Health
// checks and reflection are not traced unless [WithFilter] says so; their caller's context goes on to what they call.
// RPCs that the kit's own exporters make are never traced.
//
// # Streams of a client
//
// The span ends when RecvMsg has returned the end of the stream, or another method an error that ends it. If the
// context or the connection ends first, the span waits half a second for a receiver, since the true end may have
// arrived already; it then ends as of the time when the context did. A stream that the caller drops ends with its
// context, or when it is garbage collected.
//
// # Order of interceptors
//
// The first interceptor is the outermost one. On a server put these first, then metrics, logging, authentication,
// validation, and recovery last: then the span has the error that recovery makes of a panic. If recovery comes before
// these, the span has the panic itself with its stack, which goes on to the recovery unchanged. On a client, in front
// of a retrying interceptor there is one span for the logical call; behind it, one for each attempt. Retries by service
// config make one span.
//
// With go-grpc-middleware v2, pass [LogFields] to logging.WithFieldsFromContext, use its selectors as filters, and let
// its Prometheus provider tie metrics to traces:
//
//	prometheus.WithExemplarFromContext(func(ctx context.Context) prom.Labels {
//		if span := opentracing.SpanFromContext(ctx); span != nil {
//			return prom.Labels{"trace_id": carrier.TraceID(span.Context())}
//		}
//		return nil
//	})
//
// # Versions of gRPC
//
// The package uses gRPC's public API alone and is tested with grpc-go from 1.68, and go-grpc-middleware v2 from 2.1, to
// the newest. Where older versions behave otherwise, spans have the status that the caller got:
//
//	before 1.74   two messages where one is due end an RPC with Unknown instead of Internal
//	before 1.76   no message where one is due makes RecvMsg return io.EOF; the span has Internal
//	before 1.78   a status code that is no number below 2^31 arrives as Internal instead of Unknown
//	1.84          an interceptor of gRPC's own lies below the others; spans do not show it
//
// Without gRPC's own invoker directly below, that is with another interceptor in between or if a new version renames
// it, spans of unary RPCs have the target as peer.address instead of the server's address, and no grpc.server_trace_id.
//
// An RPC to a service that the server does not know reaches no interceptor, so it makes no span, unless the server has
// a [grpc.UnknownServiceHandler]: then its name is [UnknownMethod], whatever the caller sent.
//
// # Coming from other instrumentation
//
// docs/migrating.md has the tables for otgrpc, grpc_opentracing and otelgrpc.
package grpcmw
