// Command grpc serves inventory, a gRPC service with the four kinds of RPC, traced by spanloom.
//
// Spans go where the usual variables say (OTEL_EXPORTER_OTLP_ENDPOINT, JAEGER_ENDPOINT, JAEGER_AGENT_HOST …), by
// default to an OTLP collector on localhost.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spanloom/spanloom/examples/grpc/inventory"
	"github.com/spanloom/spanloom/tracerinit"

	_ "github.com/spanloom/spanloom/tracerinit/otlpgrpc" // for OTEL_EXPORTER_OTLP_PROTOCOL=grpc
)

func main() {
	addr := flag.String("addr", ":9090", "address to serve gRPC on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "inventory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "inventory"})
	if err != nil {
		return err
	}
	defer func() {
		if err := tracer.Close(); err != nil { // no reason to fail
			slog.Warn("the last spans are lost", "error", err)
		}
	}()
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; -addr takes another address", err)
	}
	fmt.Printf("inventory: gRPC on %s\n", lis.Addr())
	return inventory.Serve(ctx, lis, tracer, slog.Default())
}
