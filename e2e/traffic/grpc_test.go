package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
)

// inventory answers with everything a gRPC service can: messages, headers, trailers, codes, details.
type inventory struct {
	inventorypb.UnimplementedInventoryServer
}

func (inventory) GetStock(ctx context.Context, req *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-header", "h", "x-user", strings.Join(md["x-user"], ",")))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailer-bin", "\x00\xff"))
	if req.GetProductId() == "none" {
		st, err := status.New(codes.NotFound, "no product ü%").WithDetails(req)
		if err != nil {
			return nil, err
		}
		return nil, st.Err()
	}
	return &inventorypb.Stock{ProductId: req.GetProductId(), Available: 7}, nil
}

func (inventory) WatchStock(req *inventorypb.WatchStockRequest, s grpc.ServerStreamingServer[inventorypb.Stock]) error {
	for i := range req.GetUpdates() {
		if err := s.Send(&inventorypb.Stock{ProductId: req.GetProductId(), Available: i}); err != nil {
			return err
		}
	}
	return status.Error(codes.ResourceExhausted, "no more updates")
}

func (inventory) Reserve(s grpc.ClientStreamingServer[inventorypb.Item, inventorypb.Reservation]) error {
	var items int32
	for {
		item, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&inventorypb.Reservation{Id: "r", Items: items})
		}
		if err != nil {
			return err
		}
		items += item.GetQuantity()
	}
}

func (inventory) Negotiate(s grpc.BidiStreamingServer[inventorypb.Offer, inventorypb.Offer]) error {
	for {
		offer, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&inventorypb.Offer{Cents: offer.GetCents() + 1}); err != nil {
			return err
		}
	}
}

// grpcServer is traced.
func (w *world) grpcServer() *grpc.Server {
	var options []grpc.ServerOption
	if w.tracer != nil {
		options = grpcmw.ServerOptions(w.tracer)
	}
	server := grpc.NewServer(options...)
	inventorypb.RegisterInventoryServer(server, inventory{})
	return server
}

// grpcClient is traced.
func (w *world) grpcClient(target string) inventorypb.InventoryClient {
	w.t.Helper()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if w.tracer != nil {
		options = append(options, grpcmw.DialOptions(w.tracer)...)
	}
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.later(func() { conn.Close() })
	return inventorypb.NewInventoryClient(conn)
}

// call makes the four kinds of RPC.
func (w *world) call(client inventorypb.InventoryClient) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), "x-user", "u"), wait.Patience)
	defer cancel()
	for _, id := range []string{"42", "none"} {
		var header, trailer metadata.MD
		stock, err := client.GetStock(ctx, &inventorypb.GetStockRequest{ProductId: id}, grpc.Header(&header), grpc.Trailer(&trailer))
		w.saw("client", "%v, %s", stock.GetAvailable(), described(err))
		w.saw("client", "%v %v %q", header["x-header"], header["x-user"], trailer["x-trailer-bin"])
	}
	watch, err := client.WatchStock(ctx, &inventorypb.WatchStockRequest{ProductId: "1", Updates: 3})
	for err == nil {
		var stock *inventorypb.Stock
		if stock, err = watch.Recv(); err == nil {
			w.saw("client", "watched %d", stock.GetAvailable())
		}
	}
	w.saw("client", "watch: %s", described(err))

	reserve, err := client.Reserve(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range int32(3) {
		w.saw("client", "reserve: %v", reserve.Send(&inventorypb.Item{ProductId: "1", Quantity: i}))
	}
	reservation, err := reserve.CloseAndRecv()
	w.saw("client", "reserved %d, %s", reservation.GetItems(), described(err))

	negotiate, err := client.Negotiate(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range int32(3) {
		w.saw("client", "offer: %v", negotiate.Send(&inventorypb.Offer{Cents: i}))
		counter, err := negotiate.Recv()
		w.saw("client", "counter %d, %s", counter.GetCents(), described(err))
	}
	w.saw("client", "close: %v", negotiate.CloseSend())
	_, err = negotiate.Recv()
	w.saw("client", "end: %v", err == io.EOF)
}

func described(err error) string {
	st := status.Convert(err)
	var details []string
	for _, d := range st.Details() {
		if m, ok := d.(proto.Message); ok {
			details = append(details, prototext.Format(m))
		}
	}
	return fmt.Sprintf("%v %q %v %T", st.Code(), st.Message(), details, err)
}

func TestGRPC(t *testing.T) {
	equal(t, func(w *world) { w.call(w.grpcClient(w.grpcListen())) })
}

func (w *world) grpcListen() string {
	w.t.Helper()
	lis := w.listener()
	server := w.grpcServer()
	go server.Serve(lis)
	w.later(server.Stop)
	return lis.Addr().String()
}

// gRPC is served by net/http, below the HTTP middleware, as when one port speaks both.
func TestGRPC_through_ServeHTTP(t *testing.T) {
	equal(t, func(w *world) {
		server, _ := w.h2c(w.grpcServer())
		w.call(w.grpcClient(server.Listener.Addr().String()))
	})
}

// A reverse proxy carries gRPC over HTTP/2, trailers and all, with the kit on every hop.
func TestGRPC_through_a_traced_reverse_proxy(t *testing.T) {
	equal(t, func(w *world) {
		backend := &url.URL{Scheme: "http", Host: w.grpcListen()}
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols}
		w.later(transport.CloseIdleConnections)
		front, _ := w.h2c(&httputil.ReverseProxy{
			Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(backend) },
			Transport:     w.transport(transport),
			FlushInterval: -1,
		})
		w.call(w.grpcClient(front.Listener.Addr().String()))
	})
}

// A JSON gateway in front of gRPC, on grpc-gateway's own mux: status codes, errors and metadata cross over.
func TestAGatewayCrossesToGRPCAsBare(t *testing.T) {
	equal(t, func(w *world) {
		gateway := runtime.NewServeMux()
		client := w.grpcClient(w.grpcListen())
		register(w.t, gateway, "/v1/stock/{id}", func(rw http.ResponseWriter, r *http.Request, vars map[string]string) {
			ctx, err := runtime.AnnotateContext(r.Context(), gateway, r, inventorypb.Inventory_GetStock_FullMethodName)
			if err != nil {
				panic(err)
			}
			_, marshaler := runtime.MarshalerForRequest(gateway, r)
			var md runtime.ServerMetadata
			stock, err := client.GetStock(ctx, &inventorypb.GetStockRequest{ProductId: vars["id"]},
				grpc.Header(&md.HeaderMD), grpc.Trailer(&md.TrailerMD))
			delete(md.HeaderMD, "content-type")
			ctx = runtime.NewServerMetadataContext(ctx, md)
			if err != nil {
				runtime.HTTPError(ctx, gateway, marshaler, rw, r, err)
				return
			}
			runtime.ForwardResponseMessage(ctx, gateway, marshaler, rw, r, stock)
		})
		register(w.t, gateway, "/v1/stock/{id}/watch", func(rw http.ResponseWriter, r *http.Request, vars map[string]string) {
			_, marshaler := runtime.MarshalerForRequest(gateway, r)
			watch, err := client.WatchStock(r.Context(), &inventorypb.WatchStockRequest{ProductId: vars["id"], Updates: 3})
			if err != nil {
				panic(err)
			}
			ctx := runtime.NewServerMetadataContext(r.Context(), runtime.ServerMetadata{})
			runtime.ForwardResponseStream(ctx, gateway, marshaler, rw, r, func() (proto.Message, error) { return watch.Recv() })
		})
		server, http1 := w.server(gateway), w.client(&http.Transport{})
		secure, http2 := w.tlsServer(gateway)
		for _, front := range []struct {
			server *httptest.Server
			client *http.Client
		}{{server, http1}, {secure, http2}} {
			for _, path := range []string{"/v1/stock/42", "/v1/stock/none", "/v1/stock/1/watch", "/v1/nothing"} {
				w.get(front.client, front.server.URL+path, "Grpc-Metadata-X-User", "u")
			}
		}
	})
}

func register(t *testing.T, mux *runtime.ServeMux, path string, h runtime.HandlerFunc) {
	t.Helper()
	if err := mux.HandlePath(http.MethodGet, path, h); err != nil {
		t.Fatal(err)
	}
}
