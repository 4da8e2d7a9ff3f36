// Command chi serves storefront, an HTTP service on a chi router that calls inventory over gRPC and a supplier
// over HTTP, all traced by spanloom, with a page that shows the traces.
//
// Without -inventory it starts inventory and the supplier itself, each with a tracer of its own, so that one
// command shows three services.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/traceview"

	_ "github.com/spanloom/spanloom/tracerinit/otlpgrpc" // for OTEL_EXPORTER_OTLP_PROTOCOL=grpc
)

func main() {
	addr := flag.String("addr", ":8080", "address to serve HTTP on")
	inventory := flag.String("inventory", "", "address of a running inventory (default: start one)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *inventory); err != nil {
		fmt.Fprintln(os.Stderr, "storefront:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, inventoryAddr string) error {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; -addr takes another address", err)
	}
	view := traceview.New(traceview.Config{})
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "storefront", Reporters: []jaeger.Reporter{view}})
	if err != nil {
		return err
	}
	neighbours, err := startNeighbours(view, inventoryAddr)
	if err != nil {
		return err
	}
	shop, err := newStorefront(tracer, neighbours.inventoryAddr, neighbours.supplierURL)
	if err != nil {
		return err
	}

	// The view stands outside the traced router: looking at traces makes none.
	mux := http.NewServeMux()
	mux.Handle("/debug/traces/", view)
	mux.Handle("/", shop.router())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	server.RegisterOnShutdown(view.Close)

	greet(lis.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(drain), shop.close(), neighbours.stop(drain))
	closeTracers(append(neighbours.tracers, tracer)...)
	return err
}

// closeTracers sends the last spans of all tracers at once, each within its shutdown timeout. Spans that cannot be sent
// are no reason to fail: they are logged.
func closeTracers(tracers ...*tracerinit.Tracer) {
	var wg sync.WaitGroup
	for _, tracer := range tracers {
		wg.Go(func() {
			if err := tracer.Close(); err != nil {
				slog.Warn("the last spans are lost", "error", err)
			}
		})
	}
	wg.Wait()
}

func greet(addr net.Addr) {
	base := "http://localhost:" + fmt.Sprint(addr.(*net.TCPAddr).Port)
	fmt.Printf(`storefront: %[1]s
traces:     %[1]s/debug/traces/

Try:
  curl %[1]s/products/42
  curl -X POST -d '{"product":"42","quantity":3}' %[1]s/orders
  curl %[1]s/slow
  curl %[1]s/fail
  curl %[1]s/panic

Ctrl-C stops it.
`, base)
}
