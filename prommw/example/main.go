// Command example is a shop whose metrics, logs and profiles lead to traces. It serves HTTP and calls an inventory over
// gRPC, which it starts itself.
//
//	/metrics               Prometheus metrics; exemplars name traces
//	/debug/pprof/profile   a CPU profile, whose labels name traces
//	/debug/traces/         the traces; its search field takes a log line
//
// The log, on standard error, names the trace in each line of a request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/examples/grpc/inventory"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/spanlog"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/traceview"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to serve HTTP on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(os.Stderr, nil), spanlog.WithSpanLogs(slog.LevelWarn)))
	view := traceview.New(traceview.Config{})
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Reporters: []jaeger.Reporter{view}, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer tracer.Close()
	metrics := prommw.New(prommw.Config{})
	stock, err := startInventory(ctx, tracer, metrics, logger)
	if err != nil {
		return err
	}
	shop, err := newShop(tracer, metrics, logger, stock.addr)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; -addr takes another address", err)
	}
	server := &http.Server{Handler: routes(shop, view, tracer, metrics), ReadHeaderTimeout: 5 * time.Second}
	server.RegisterOnShutdown(view.Close)
	greet("http://" + lis.Addr().String())
	err = serve(ctx, server, lis)
	cancel()
	return errors.Join(err, shop.conn.Close(), <-stock.served)
}

// routes has what looks at the program beside the traced handler, so that looking makes no traces.
func routes(shop *shop, view http.Handler, tracer *tracerinit.Tracer, metrics *prommw.Metrics) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics, prommw.NewStatsCollector(tracer))
	mux := http.NewServeMux()
	mux.Handle("/debug/traces/", view)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.Handle("/", shop.handler())
	return mux
}

func serve(ctx context.Context, server *http.Server, lis net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(drain)
}

// stock is the inventory that runs in this process.
type stock struct {
	addr   string
	served chan error
}

func startInventory(
	ctx context.Context, tracer *tracerinit.Tracer, metrics *prommw.Metrics, logger *slog.Logger,
) (*stock, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stock{addr: lis.Addr().String(), served: make(chan error, 1)}
	go func() {
		s.served <- inventory.Serve(ctx, lis, tracer, logger, metrics.GRPCServer(), grpcmw.WithProfilingLabels())
	}()
	return s, nil
}

func greet(base string) {
	fmt.Printf(`shop:    %[1]s
traces:  %[1]s/debug/traces/

Try, and paste a line of the log into the search field of the traces:
  curl %[1]s/reports/2026
  curl %[1]s/products/42
  curl -H 'Accept: application/openmetrics-text' %[1]s/metrics
  go tool pprof -tagfocus=span_name='GET /reports/.*' '%[1]s/debug/pprof/profile?seconds=5'

Ctrl-C stops it.
`, base)
}
