package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/gorilla/mux"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// checker stands for a service: it answers by the name it is given.
type checker struct {
	healthpb.UnimplementedHealthServer
}

func (checker) Check(ctx context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	switch req.Service {
	case "none":
		return nil, status.Error(codes.NotFound, "no such thing")
	case "broken":
		return nil, status.Error(codes.Internal, "broken")
	case "http-503":
		// as httpgrpc of cortex and dskit does
		return nil, status.Error(
			codes.Code(http.StatusServiceUnavailable), "busy",
		)
	}
	span, _ := opentracing.StartSpanFromContext(ctx, "SELECT stock")
	defer span.Finish()
	return &healthpb.HealthCheckResponse{}, nil
}

// stock is the service's description under another name, since calls of the health service are not traced by default.
var stock = grpc.ServiceDesc{
	ServiceName: "shop.Stock", HandlerType: (*healthpb.HealthServer)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Check",
		Handler: func(srv any, ctx context.Context, dec func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
			in := new(healthpb.HealthCheckRequest)
			if err := dec(in); err != nil {
				return nil, err
			}
			info := &grpc.UnaryServerInfo{Server: srv, FullMethod: "/shop.Stock/Check"}
			return i(ctx, in, info, func(ctx context.Context, req any) (any, error) {
				return srv.(healthpb.HealthServer).Check(ctx, req.(*healthpb.HealthCheckRequest))
			})
		}}},
}

func startStock(tracer opentracing.Tracer) (*grpc.ClientConn, func(), error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := grpc.NewServer(serverOptions(tracer)...)
	server.RegisterService(&stock, checker{})
	go server.Serve(lis)
	options := append(dialOptions(tracer), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(lis.Addr().String(), options...)
	return conn, server.Stop, err
}

func check(ctx context.Context, conn *grpc.ClientConn, name string) error {
	return conn.Invoke(
		ctx, "/shop.Stock/Check", &healthpb.HealthCheckRequest{Service: name}, new(healthpb.HealthCheckResponse),
	)
}

// runShop is an HTTP service that calls another over gRPC.
func runShop(tracer opentracing.Tracer) error {
	conn, stop, err := startStock(tracer)
	if err != nil {
		return err
	}
	defer stop()
	defer conn.Close()
	routes := http.NewServeMux()
	routes.HandleFunc("GET /products/{id}", func(w http.ResponseWriter, r *http.Request) {
		switch err := check(r.Context(), conn, r.PathValue("id")); status.Code(err) {
		case codes.OK:
		case codes.NotFound:
			http.NotFound(w, r)
		default:
			http.Error(w, "broken", http.StatusInternalServerError)
		}
	})
	return visit(tracer, traceHandler(tracer, routes), "/products/1", "/products/none", "/products/broken")
}

// runMux is a service on gorilla/mux.
func runMux(tracer opentracing.Tracer) error {
	router := mux.NewRouter()
	router.HandleFunc("/users/{id:[0-9]+}", func(http.ResponseWriter, *http.Request) {})
	return visit(tracer, traceMux(tracer, router), "/users/7", "/nothing")
}

// visit gets the paths of a service, each in a trace of its own.
func visit(tracer opentracing.Tracer, h http.Handler, paths ...string) error {
	server := httptest.NewServer(h)
	defer server.Close()
	client := newClient(tracer)
	for _, path := range paths {
		span := tracer.StartSpan("visit " + path)
		req, err := http.NewRequestWithContext(
			opentracing.ContextWithSpan(context.Background(), span), "GET", server.URL+path, nil,
		)
		if err != nil {
			return err
		}
		resp, err := do(tracer, client, req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		span.Finish()
	}
	return nil
}

// runCodes calls a service that puts HTTP statuses into gRPC codes.
func runCodes(tracer opentracing.Tracer) error {
	conn, stop, err := startStock(tracer)
	if err != nil {
		return err
	}
	defer stop()
	defer conn.Close()
	if got := status.Code(check(context.Background(), conn, "http-503")); got != 503 {
		return fmt.Errorf("the caller got %v", got)
	}
	return nil
}

// runQueue carries a context through a message by hand.
func runQueue(tracer opentracing.Tracer) error {
	producer := tracer.StartSpan("send")
	producer.SetBaggageItem("tenant", "acme")
	message := opentracing.TextMapCarrier{}
	if err := tracer.Inject(producer.Context(), opentracing.TextMap, message); err != nil {
		return err
	}
	producer.Finish()
	sc, err := tracer.Extract(opentracing.TextMap, message)
	if err != nil {
		return err
	}
	consumer := tracer.StartSpan("receive", opentracing.FollowsFrom(sc))
	consumer.SetTag("tenant", consumer.BaggageItem("tenant"))
	consumer.Finish()
	return nil
}
