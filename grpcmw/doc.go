// Package grpcmw traces gRPC with four interceptors, one for each kind of RPC and side:
//
//	server := grpc.NewServer(grpcmw.ServerOptions(nil)...)
//	conn, err := grpc.NewClient(target, append(grpcmw.DialOptions(nil), grpc.WithTransportCredentials(creds))...)
//
// Every RPC becomes one span named by its full method, such as /shop.Orders/Place. It carries the status code, the
// type of the RPC, the peer, the deadline, message counts and the attempt, and it ends exactly once: when the
// handler returns or panics, or when a client stream truly ends, with the status the stream ended with. A stream that
// is dropped without reading it to its end ends with its context, or when it is collected. A nil tracer means
// opentracing.GlobalTracer() at the time of each RPC.
//
// Messages make no logs, however many there are: a stream's span tells their number and, as grpc.first_message_ms, when
// the first of the answer came. WithCheckpoints shows streams that go on for hours before they end.
//
// The interceptors do not change an RPC: errors pass as they are, panics go on with their value, metadata that the
// caller made is copied and not written to, baggage that gRPC could not send is left out. Health checks and
// reflection are not traced unless WithFilter says so; their caller's context goes on to what they call.
//
// # Order of interceptors
//
// The first interceptor is the outermost one. On a server put these first, then metrics, logging, authentication,
// validation, and recovery last: then the span has the error that recovery makes of a panic. Put recovery before these
// and the span has the panic itself with its stack, which goes on to the recovery unchanged. On a client, in front of
// a retrying interceptor there is one span for the logical call; behind it, one for each attempt. Retries by service
// config make one span.
//
// With go-grpc-middleware v2, give LogFields to logging.WithFieldsFromContext, use its selectors as filters, and let its
// Prometheus provider tie metrics to traces:
//
//	prometheus.WithExemplarFromContext(func(ctx context.Context) prom.Labels {
//		if span := opentracing.SpanFromContext(ctx); span != nil {
//			return prom.Labels{"trace_id": carrier.TraceID(span.Context())}
//		}
//		return nil
//	})
//
// # Coming from other instrumentation
//
//	otgrpc                                here
//	OpenTracingServerInterceptor(t)       UnaryServerInterceptor(t); names and component stay close
//	IncludingSpans(f)                     WithFilter(m)
//	SpanDecorator(f)                      WithOutcome(hook)
//	LogPayloads()                         not offered: payloads are unbounded and private
//	response_code, response_class         rpc.grpc.status_code, on success too
//
//	grpc_opentracing (middleware v1)      here
//	WithTracer(t)                         first argument
//	WithFilterFunc(f)                     WithFilter(selector.MatchFunc(…))
//	WithOpName(f)                         WithOperationName(f), on both sides
//	WithTraceHeaderName(name)             carrier.Config of the tracer
//	ClientAddContextTags(ctx, tags)       WithOutcome(hook), which is given the context
//	grpc_ctxtags trace.traceid            LogFields(ctx)
//
//	otelgrpc                              here
//	NewServerHandler(), NewClientHandler  ServerOptions(t), DialOptions(t)
//	WithFilter(f)                         WithFilter(m); true means trace it, too
//	WithSpanAttributes(kv)                WithTags(tags)
//	WithPublicEndpoint()                  WithPublicEndpoint(func)
//	WithPropagators(p)                    carrier.Config of the tracer
//	rpc.system.name, rpc.method, …        WithSemconv(OTel)
//
// An RPC to a service the server does not know reaches no interceptor, so it makes no span, unless the server has a
// grpc.UnknownServiceHandler: then its name is UnknownMethod, whatever the caller sent.
package grpcmw
