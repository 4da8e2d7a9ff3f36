// Command busy is a service under load: HTTP in front, gRPC behind, exporting where the environment says. On SIGTERM
// it writes what became of its spans: their ids to a file, the counts to standard output.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/examples/grpc/inventory"
	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
	_ "github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

func main() {
	ids := flag.String("ids", "", "file to write the ids of all reported spans to")
	drain := flag.Duration("drain", 10*time.Second, "how long stopping may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *ids, *drain); err != nil {
		fmt.Fprintln(os.Stderr, "busy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, drain time.Duration) error {
	reported := new(reporter)
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "busy", Reporters: []jaeger.Reporter{reported}})
	if err != nil {
		return err
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	backCtx, stopBack := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- inventory.Serve(backCtx, back, tracer, slog.New(slog.DiscardHandler)) }()
	conn, err := grpc.NewClient(back.Addr().String(),
		append(grpcmw.DialOptions(tracer), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		stopBack()
		return err
	}

	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		stopBack()
		return err
	}
	server := &http.Server{Handler: router(tracer, inventorypb.NewInventoryClient(conn))}
	go server.Serve(front)
	fmt.Println("busy at http://" + front.Addr().String())
	<-ctx.Done()

	drainCtx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err = errors.Join(server.Shutdown(drainCtx), conn.Close())
	stopBack()
	err = errors.Join(err, <-served)
	lost := tracer.Shutdown(drainCtx) // its error is about lost spans, which the counts below report
	fmt.Println("shutdown:", lost)
	return errors.Join(err, os.WriteFile(file, reported.text(), 0o600), json.NewEncoder(os.Stdout).Encode(tracer.Stats()))
}

func router(tracer *tracerinit.Tracer, client inventorypb.InventoryClient) http.Handler {
	r := chi.NewRouter()
	r.Use(httpmw.Middleware(tracer))
	r.Get("/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		stock, err := client.GetStock(r.Context(), &inventorypb.GetStockRequest{ProductId: chi.URLParam(r, "id")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, stock.GetAvailable())
	})
	return r
}

// reporter keeps the ids of spans.
type reporter struct {
	mu  sync.Mutex
	ids strings.Builder
}

func (r *reporter) Report(s *jaeger.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.ids, "%s/%s\n", carrier.TraceID(s.Context()), carrier.SpanID(s.Context()))
}

func (*reporter) Close() {}

func (r *reporter) text() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return []byte(r.ids.String())
}
