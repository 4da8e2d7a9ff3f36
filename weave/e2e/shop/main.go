// Command shop is a program without any tracing: a chi router behind a gzip handler, a ServeMux, a gRPC server, and
// clients of all of them. It prints the address of the shop, and serves until its standard input ends.
package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/go-chi/chi/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	inventory := listen()
	grpcServer := grpc.NewServer()
	grpcServer.RegisterService(&inventoryDesc, nil)
	go func() { _ = grpcServer.Serve(inventory) }()
	defer grpcServer.Stop()

	supplier := listen()
	supplierServer := &http.Server{Handler: parts()}
	go func() { _ = supplierServer.Serve(supplier) }()
	defer supplierServer.Close()

	dial := grpc.NewClient // a function value, as dependency injection has it
	conn, err := dial(inventory.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	front := listen()
	s := &shop{conn: conn, supplier: "http://" + supplier.Addr().String()}
	frontServer := &http.Server{Handler: zip(s.routes())}
	go func() { _ = frontServer.Serve(front) }()
	defer frontServer.Close()

	fmt.Println(front.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return l
}

type shop struct {
	conn     *grpc.ClientConn
	supplier string
	client   http.Client
}

func (s *shop) routes() *chi.Mux {
	r := chi.NewRouter()
	r.Route("/products", func(r chi.Router) {
		r.Get("/{id}", s.product)
	})
	r.Get("/watch/{id}", s.watch)
	return r
}

// product reads the stock from the inventory, and the price from the supplier.
func (s *shop) product(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	stock := new(wrapperspb.StringValue)
	if err := s.conn.Invoke(r.Context(), "/shop.Inventory/Stock", wrapperspb.String(id), stock); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.supplier+"/parts/"+id, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	resp, err := s.client.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	price, _ := io.ReadAll(resp.Body)
	fmt.Fprintf(w, "%s in stock, %s", stock.Value, price)
}

// watch reads a stream of the inventory to its end.
func (s *shop) watch(w http.ResponseWriter, r *http.Request) {
	stream, err := s.conn.NewStream(r.Context(), &inventoryDesc.Streams[0], "/shop.Inventory/Watch")
	if err == nil {
		err = stream.SendMsg(wrapperspb.String(chi.URLParam(r, "id")))
	}
	if err == nil {
		err = stream.CloseSend()
	}
	for err == nil {
		m := new(wrapperspb.StringValue)
		if err = stream.RecvMsg(m); err == nil {
			fmt.Fprintln(w, m.Value)
		}
	}
	if err != io.EOF {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// parts is the supplier.
func parts() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /parts/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "0" {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "4 EUR")
	})
	return mux
}

// inventoryDesc describes a gRPC service, as protoc would.
var inventoryDesc = grpc.ServiceDesc{
	ServiceName: "shop.Inventory", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Stock", Handler: stock}},
	Streams: []grpc.StreamDesc{{StreamName: "Watch", ServerStreams: true, Handler: watchStock}},
}

func watchStock(_ any, ss grpc.ServerStream) error {
	id := new(wrapperspb.StringValue)
	if err := ss.RecvMsg(id); err != nil {
		return err
	}
	for _, n := range []string{"7", "6"} {
		if err := ss.SendMsg(wrapperspb.String(n)); err != nil {
			return err
		}
	}
	return nil
}

func stock(_ any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	id := new(wrapperspb.StringValue)
	if err := dec(id); err != nil {
		return nil, err
	}
	handler := func(context.Context, any) (any, error) { return wrapperspb.String("7"), nil }
	if interceptor == nil {
		return handler(ctx, id)
	}
	return interceptor(ctx, id, &grpc.UnaryServerInfo{FullMethod: "/shop.Inventory/Stock"}, handler)
}

// zip compresses responses for clients that take it.
func zip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		next.ServeHTTP(zipWriter{w, z}, r)
	})
}

type zipWriter struct {
	http.ResponseWriter
	z io.Writer
}

func (w zipWriter) Write(p []byte) (int, error) { return w.z.Write(p) }
