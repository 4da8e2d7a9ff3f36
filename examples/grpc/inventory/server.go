package inventory

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/validator"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
)

// patience is how long calls in flight may take to end: a client can hold a stream open for ever.
const patience = 5 * time.Second

// Serve answers calls on lis until ctx is done, then lets those in flight end. The options are those of the tracing.
func Serve(
	ctx context.Context, lis net.Listener, tracer opentracing.Tracer, logger *slog.Logger, opts ...grpcmw.ServerOption,
) error {
	server := newServer(tracer, logger, opts)
	inventorypb.RegisterInventoryServer(server, &service{tracer: tracer})
	defer context.AfterFunc(ctx, func() {
		defer time.AfterFunc(patience, server.Stop).Stop()
		server.GracefulStop()
	})()
	return server.Serve(lis)
}

// newServer shows the order of interceptors, outermost first: tracing, so that the span covers the others; logging,
// which then knows the trace id; validation, of all but health checks and reflection; recovery innermost, so that a
// panic is an error for all.
func newServer(tracer opentracing.Tracer, logger *slog.Logger, opts []grpcmw.ServerOption) *grpc.Server {
	logged := []logging.Option{
		logging.WithFieldsFromContext(grpcmw.LogFields),
		logging.WithLogOnEvents(logging.FinishCall),
	}
	return grpc.NewServer(
		grpc.ChainUnaryInterceptor(
			grpcmw.UnaryServerInterceptor(tracer, opts...),
			logging.UnaryServerInterceptor(logTo(logger), logged...),
			selector.UnaryServerInterceptor(validator.UnaryServerInterceptor(), selector.MatchFunc(ours)),
			recovery.UnaryServerInterceptor(),
		),
		grpc.ChainStreamInterceptor(
			grpcmw.StreamServerInterceptor(tracer, opts...),
			logging.StreamServerInterceptor(logTo(logger), logged...),
			selector.StreamServerInterceptor(validator.StreamServerInterceptor(), selector.MatchFunc(ours)),
			recovery.StreamServerInterceptor(),
		),
	)
}

func ours(_ context.Context, call interceptors.CallMeta) bool {
	return call.Service == inventorypb.Inventory_ServiceDesc.ServiceName
}

func logTo(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(ctx context.Context, level logging.Level, msg string, fields ...any) {
		logger.Log(ctx, slog.Level(level), msg, fields...)
	})
}
