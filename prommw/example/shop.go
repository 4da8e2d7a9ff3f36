package main

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
)

type shop struct {
	tracer    opentracing.Tracer
	metrics   *prommw.Metrics
	log       *slog.Logger
	conn      *grpc.ClientConn
	inventory inventorypb.InventoryClient
}

func newShop(
	tracer opentracing.Tracer, metrics *prommw.Metrics, logger *slog.Logger, inventoryAddr string,
) (*shop, error) {
	options := append(grpcmw.DialOptions(tracer, metrics.GRPCClient()),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(inventoryAddr, options...)
	if err != nil {
		return nil, err
	}
	return &shop{tracer, metrics, logger, conn, inventorypb.NewInventoryClient(conn)}, nil
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products/{id}", s.product)
	mux.HandleFunc("GET /reports/{year}", s.report)
	return httpmw.Middleware(s.tracer, s.metrics.HTTPServer(), httpmw.WithProfilingLabels())(mux)
}

func (s *shop) product(w http.ResponseWriter, r *http.Request) {
	stock, err := s.inventory.GetStock(r.Context(), &inventorypb.GetStockRequest{ProductId: r.PathValue("id")})
	if status.Code(err) == codes.NotFound {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "no answer of the inventory", "error", err)
		http.Error(w, "try again", http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, "available:", stock.GetAvailable())
}

// report needs the processor for a while, so that a profile shows it.
func (s *shop) report(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.PathValue("year")))
	for range 1_500_000 {
		sum = sha256.Sum256(sum[:])
	}
	s.log.InfoContext(r.Context(), "report done", "year", r.PathValue("year"))
	fmt.Fprintf(w, "%x\n", sum)
}
