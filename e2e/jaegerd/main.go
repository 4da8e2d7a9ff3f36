// Command jaegerd is a Jaeger in one process, with a memory store and strategies from a file: the parts of Jaeger's
// own all-in-one program that the tests need, wired in the same way and taking the same flags, but built in a minute.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	agent "github.com/jaegertracing/jaeger/cmd/agent/app"
	"github.com/jaegertracing/jaeger/cmd/agent/app/reporter"
	agentgrpc "github.com/jaegertracing/jaeger/cmd/agent/app/reporter/grpc"
	collector "github.com/jaegertracing/jaeger/cmd/collector/app"
	"github.com/jaegertracing/jaeger/cmd/collector/app/flags"
	query "github.com/jaegertracing/jaeger/cmd/query/app"
	"github.com/jaegertracing/jaeger/cmd/query/app/querysvc"
	"github.com/jaegertracing/jaeger/model/adjuster"
	"github.com/jaegertracing/jaeger/pkg/config"
	"github.com/jaegertracing/jaeger/pkg/healthcheck"
	"github.com/jaegertracing/jaeger/pkg/metrics"
	"github.com/jaegertracing/jaeger/pkg/telemetery"
	"github.com/jaegertracing/jaeger/pkg/tenancy"
	"github.com/jaegertracing/jaeger/plugin/sampling/strategyprovider/static"
	"github.com/jaegertracing/jaeger/plugin/storage/memory"
	"github.com/spf13/viper"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "jaegerd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	v, command := config.Viperize(agent.AddFlags, reporter.AddFlags, agentgrpc.AddFlags, flags.AddFlags,
		query.AddFlags, static.AddFlags, memory.AddFlags)
	if err := command.ParseFlags(args); err != nil {
		return err
	}
	level := zap.NewProductionConfig()
	level.Level = zap.NewAtomicLevelAt(zap.WarnLevel)
	logger, err := level.Build()
	if err != nil {
		return err
	}
	store := memory.NewStore()
	stopCollector, err := runCollector(v, logger, store)
	if err != nil {
		return err
	}
	defer stopCollector()
	stopAgent, err := runAgent(ctx, v, logger)
	if err != nil {
		return err
	}
	defer stopAgent()
	stopQuery, err := runQuery(v, logger, store)
	if err != nil {
		return err
	}
	defer stopQuery()
	<-ctx.Done()
	return nil
}

func runCollector(v *viper.Viper, logger *zap.Logger, store *memory.Store) (stop func(), err error) {
	options, err := new(flags.CollectorOptions).InitFromViper(v, logger)
	if err != nil {
		return nil, err
	}
	strategies, err := static.NewProvider(*new(static.Options).InitFromViper(v), logger)
	if err != nil {
		return nil, err
	}
	c := collector.New(&collector.CollectorParams{
		ServiceName:      "jaeger-collector",
		Logger:           logger,
		MetricsFactory:   metrics.NullFactory,
		SpanWriter:       store,
		SamplingProvider: strategies,
		HealthCheck:      healthcheck.New(),
		TenancyMgr:       tenancy.NewManager(&options.GRPC.Tenancy),
	})
	if err := c.Start(options); err != nil {
		return nil, err
	}
	return func() { _ = c.Close(); _ = strategies.Close() }, nil
}

func runAgent(ctx context.Context, v *viper.Viper, logger *zap.Logger) (stop func(), err error) {
	toCollector, err := agentgrpc.NewConnBuilder().InitFromViper(v)
	if err != nil {
		return nil, err
	}
	proxy, err := agent.CreateCollectorProxy(ctx,
		agent.ProxyBuilderOptions{
			Options: *new(reporter.Options).InitFromViper(v, logger), Logger: logger, Metrics: metrics.NullFactory,
		},
		map[reporter.Type]agent.CollectorProxyBuilder{reporter.GRPC: agent.GRPCCollectorProxyBuilder(toCollector)},
	)
	if err != nil {
		return nil, err
	}
	a, err := new(agent.Builder).InitFromViper(v).CreateAgent(proxy, logger, metrics.NullFactory)
	if err != nil {
		return nil, err
	}
	if err := a.Run(); err != nil {
		return nil, err
	}
	return func() { a.Stop(); _ = proxy.Close() }, nil
}

func runQuery(v *viper.Viper, logger *zap.Logger, store *memory.Store) (stop func(), err error) {
	options, err := new(query.QueryOptions).InitFromViper(v, logger)
	if err != nil {
		return nil, err
	}
	service := querysvc.NewQueryService(store, store, querysvc.QueryServiceOptions{
		Adjuster: adjuster.Sequence(querysvc.StandardAdjusters(options.MaxClockSkewAdjust)...),
	})
	server, err := query.NewServer(service, nil, options, tenancy.NewManager(&options.Tenancy), telemetery.Setting{
		Logger:         logger,
		TracerProvider: noop.NewTracerProvider(),
		Metrics:        metrics.NullFactory,
		ReportStatus:   telemetery.HCAdapter(healthcheck.New()),
	})
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	return func() { _ = server.Close() }, nil
}
