// Package inventory is the example's gRPC service: the program examples/grpc serves it alone, and examples/chi
// starts it beside the storefront when no other inventory is given.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
)

const (
	maxUpdates = 100
	floorPrice = 900 // cents; Negotiate accepts nothing below
)

// service holds a fixed stock: products 1 to 99 exist.
type service struct {
	inventorypb.UnimplementedInventoryServer
	tracer       opentracing.Tracer
	reservations atomic.Int64
}

func (s *service) GetStock(ctx context.Context, req *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	return s.look(ctx, req.GetProductId())
}

func (s *service) WatchStock(
	req *inventorypb.WatchStockRequest, stream grpc.ServerStreamingServer[inventorypb.Stock],
) error {
	stock, err := s.look(stream.Context(), req.GetProductId())
	if err != nil {
		return err
	}
	for range min(req.GetUpdates(), maxUpdates) {
		if err := stream.Send(stock); err != nil {
			return err
		}
		stock.Available--
		select {
		case <-time.After(40 * time.Millisecond):
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
	return nil
}

func (s *service) Reserve(stream grpc.ClientStreamingServer[inventorypb.Item, inventorypb.Reservation]) error {
	var items int32
	for {
		item, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			id := fmt.Sprintf("r-%d", s.reservations.Add(1))
			return stream.SendAndClose(&inventorypb.Reservation{Id: id, Items: items})
		}
		if err != nil {
			return err
		}
		if item.GetQuantity() <= 0 {
			return status.Errorf(codes.InvalidArgument, "quantity %d of product %s", item.GetQuantity(), item.GetProductId())
		}
		items += item.GetQuantity()
	}
}

func (s *service) Negotiate(stream grpc.BidiStreamingServer[inventorypb.Offer, inventorypb.Offer]) error {
	ask := int32(1200)
	for {
		offer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		ask = max(floorPrice, ask-100)
		if err := stream.Send(&inventorypb.Offer{Cents: ask, Accepted: offer.GetCents() >= ask}); err != nil {
			return err
		}
	}
}

// look stands for a database query: a child span of whatever span is in ctx.
func (s *service) look(ctx context.Context, id string) (*inventorypb.Stock, error) {
	span, _ := opentracing.StartSpanFromContextWithTracer(ctx, s.tracer, "SELECT stock", ext.SpanKindRPCClient)
	defer span.Finish()
	ext.DBType.Set(span, "sql")
	ext.DBStatement.Set(span, "SELECT available FROM stock WHERE product_id = ?")

	var number int32
	if _, err := fmt.Sscanf(id, "%d", &number); err != nil || number < 1 || number > 99 {
		span.LogFields(log.Event("no row"), log.String("product_id", id))
		return nil, status.Errorf(codes.NotFound, "no product %q", id)
	}
	time.Sleep(2 * time.Millisecond)
	return &inventorypb.Stock{ProductId: id, Available: 100 + number}, nil
}
