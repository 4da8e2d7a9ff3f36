package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/timeout"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

type storefront struct {
	tracer    opentracing.Tracer
	conn      *grpc.ClientConn
	inventory inventorypb.InventoryClient
	http      *http.Client
	supplier  string // base URL
}

func newStorefront(tracer opentracing.Tracer, inventoryAddr, supplierURL string) (*storefront, error) {
	options := append(grpcmw.DialOptions(tracer), // first, so that a call is one span, however often it is tried
		grpc.WithChainUnaryInterceptor(
			timeout.UnaryClientInterceptor(10*time.Second),
			retry.UnaryClientInterceptor(retry.WithMax(3), retry.WithCodes(codes.Unavailable)),
		),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	conn, err := grpc.NewClient(inventoryAddr, options...)
	if err != nil {
		return nil, err
	}
	return &storefront{
		tracer:    tracer,
		conn:      conn,
		inventory: inventorypb.NewInventoryClient(conn),
		http:      &http.Client{Transport: httpmw.Transport(tracer, nil)},
		supplier:  supplierURL,
	}, nil
}

func (s *storefront) close() error {
	s.http.CloseIdleConnections()
	return s.conn.Close()
}

// router has Recoverer outside the tracing, so that a panic is on the span before it becomes a 500.
func (s *storefront) router() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Use(httpmw.Middleware(s.tracer, httpmw.WithTraceIDHeader("X-Trace-Id")))
	r.Get("/products/{id}", s.product)
	r.Mount("/products/{id}/reviews", s.reviewRoutes())
	r.Post("/orders", s.order)
	r.Get("/slow", s.slow)
	r.Get("/fail", s.fail)
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("the shelf fell over") })
	return r
}

func (s *storefront) reviewRoutes() http.Handler {
	r := chi.NewRouter()
	r.Get("/", s.reviews)
	return r
}

func (s *storefront) product(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	stock, err := s.inventory.GetStock(r.Context(), &inventorypb.GetStockRequest{ProductId: id})
	if err != nil {
		answerError(w, err)
		return
	}
	ctx := httpmw.ContextWithRoute(r.Context(), "/prices/{id}")
	price, err := s.get(ctx, "/prices/"+id)
	if err != nil {
		answerError(w, err)
		return
	}
	answer(w, map[string]any{"id": id, "available": stock.GetAvailable(), "price": price})
}

// reviews shows a span made by hand, with a log, below the one of the request.
func (s *storefront) reviews(w http.ResponseWriter, r *http.Request) {
	span, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), s.tracer, "rank reviews")
	span.LogFields(log.Event("ranked"), log.Int("reviews", 2))
	span.Finish()
	answer(w, []string{"does what it says", "arrived on time"})
}

func (s *storefront) order(w http.ResponseWriter, r *http.Request) {
	var order struct {
		Product  string
		Quantity int32
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&order); err != nil {
		http.Error(w, "want {\"product\":\"42\",\"quantity\":3}", http.StatusBadRequest)
		return
	}
	cents, err := s.negotiate(r.Context())
	if err != nil {
		answerError(w, err)
		return
	}
	reservation, err := s.reserve(r.Context(), order.Product, order.Quantity)
	if err != nil {
		answerError(w, err)
		return
	}
	answer(w, map[string]any{"reservation": reservation.GetId(), "items": reservation.GetItems(), "cents": cents})
}

// negotiate bids until the counter-offer is accepted.
func (s *storefront) negotiate(ctx context.Context) (cents int32, err error) {
	stream, err := s.inventory.Negotiate(ctx)
	if err != nil {
		return 0, err
	}
	for bid, accepted := int32(700), false; !accepted; bid += 100 {
		if err := stream.Send(&inventorypb.Offer{Cents: bid}); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		counter, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		cents, accepted = bid, counter.GetAccepted()
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return 0, err
	}
	return cents, nil
}

func (s *storefront) reserve(ctx context.Context, product string, quantity int32) (*inventorypb.Reservation, error) {
	stream, err := s.inventory.Reserve(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&inventorypb.Item{ProductId: product, Quantity: quantity}); err != nil &&
		!errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.CloseAndRecv()
}

func (s *storefront) slow(w http.ResponseWriter, r *http.Request) {
	stream, err := s.inventory.WatchStock(r.Context(), &inventorypb.WatchStockRequest{ProductId: "7", Updates: 10})
	if err != nil {
		answerError(w, err)
		return
	}
	for sent := false; ; sent = true {
		stock, err := stream.Recv()
		if err != nil {
			if !sent && !errors.Is(err, io.EOF) {
				answerError(w, err)
			}
			return
		}
		fmt.Fprintln(w, "available:", stock.GetAvailable())
		_ = http.NewResponseController(w).Flush()
	}
}

func (s *storefront) fail(w http.ResponseWriter, r *http.Request) {
	_, err := s.get(r.Context(), "/closed")
	answerError(w, err)
}

// get fetches a path of the supplier.
func (s *storefront) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.supplier+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("supplier: %s", resp.Status)
	}
	return string(body), err
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func answerError(w http.ResponseWriter, err error) {
	code := http.StatusBadGateway
	switch status.Code(err) {
	case codes.NotFound:
		code = http.StatusNotFound
	case codes.InvalidArgument:
		code = http.StatusBadRequest
	}
	http.Error(w, err.Error(), code)
}
