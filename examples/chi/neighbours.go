package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/examples/grpc/inventory"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/traceview"
)

// neighbours are the services that storefront calls, run inside this process for want of real ones. Each has a
// tracer of its own and is reached over loopback TCP, just as if it ran elsewhere.
type neighbours struct {
	inventoryAddr string
	supplierURL   string
	stops         []func(context.Context) error
	tracers       []*tracerinit.Tracer // close them after stop
}

func startNeighbours(view *traceview.View, inventoryAddr string) (*neighbours, error) {
	n := &neighbours{inventoryAddr: inventoryAddr}
	if err := n.startSupplier(view); err != nil {
		return nil, err
	}
	if inventoryAddr != "" {
		return n, nil
	}
	return n, n.startInventory(view)
}

func (n *neighbours) startInventory(view *traceview.View) error {
	tracer, err := n.startTracer("inventory", view)
	if err != nil {
		return err
	}
	lis, err := listenLoopback()
	if err != nil {
		return err
	}
	n.inventoryAddr = lis.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- inventory.Serve(ctx, lis, tracer, slog.Default()) }()
	n.stops = append(n.stops, func(context.Context) error {
		cancel()
		return <-served
	})
	return nil
}

func (n *neighbours) startSupplier(view *traceview.View) error {
	tracer, err := n.startTracer("supplier", view)
	if err != nil {
		return err
	}
	lis, err := listenLoopback()
	if err != nil {
		return err
	}
	n.supplierURL = "http://" + lis.Addr().String()
	server := &http.Server{Handler: supplier(tracer), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(lis)
	n.stops = append(n.stops, server.Shutdown)
	return nil
}

// startTracer starts one more tracer in this process. It is local: the global one belongs to storefront.
func (n *neighbours) startTracer(service string, view *traceview.View) (*tracerinit.Tracer, error) {
	tracer, err := tracerinit.Start(
		tracerinit.Config{Service: service, Local: true, Reporters: []jaeger.Reporter{view}},
	)
	if err == nil {
		n.tracers = append(n.tracers, tracer)
	}
	return tracer, err
}

func (n *neighbours) stop(ctx context.Context) error {
	var errs []error
	for _, stop := range n.stops {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
