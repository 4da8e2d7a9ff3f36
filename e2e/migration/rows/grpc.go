package rows

import (
	"context"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing-contrib/go-grpc"
	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
)

func stockOtgrpc(
	t opentracing.Tracer, include otgrpc.SpanInclusionFunc, decorate otgrpc.SpanDecoratorFunc,
) ([]grpc.ServerOption, []grpc.DialOption, []otgrpc.Option) {
	return []grpc.ServerOption{
			grpc.UnaryInterceptor(otgrpc.OpenTracingServerInterceptor(t)),
			grpc.StreamInterceptor(otgrpc.OpenTracingStreamServerInterceptor(t)),
		}, []grpc.DialOption{
			grpc.WithUnaryInterceptor(otgrpc.OpenTracingClientInterceptor(t)),
			grpc.WithStreamInterceptor(otgrpc.OpenTracingStreamClientInterceptor(t)),
		}, []otgrpc.Option{otgrpc.IncludingSpans(include), otgrpc.SpanDecorator(decorate), otgrpc.LogPayloads()}
}

func stockOtelgrpc(f otelgrpc.Filter) ([]grpc.ServerOption, []grpc.DialOption) {
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithFilter(f)))},
		[]grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler())}
}

func kitGRPC(
	t opentracing.Tracer, f func(context.Context, interceptors.CallMeta) bool, name func(fullMethod string) string,
	public func(ctx context.Context, fullMethod string) bool,
) (*grpc.Server, []grpc.DialOption, []grpcmw.ServerOption) {
	server := grpc.NewServer(grpcmw.ServerOptions(t)...)
	return server, grpcmw.DialOptions(t), []grpcmw.ServerOption{
		grpcmw.WithFilter(selector.MatchFunc(f)),
		grpcmw.WithOutcome(func(ctx context.Context, span opentracing.Span, o *grpcmw.Outcome) {}),
		grpcmw.WithOperationName(name),
		grpcmw.WithTags(opentracing.Tag{Key: "component", Value: "gRPC"}),
		grpcmw.WithPublicEndpoint(public),
		grpcmw.WithSemconv(grpcmw.OTel),
	}
}

func kitLogging() logging.Option { return logging.WithFieldsFromContext(grpcmw.LogFields) }
