package spanloom_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/go-chi/chi/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/traceview"
)

// The kit in a program: a traced router, client, gRPC server and gRPC connection.
func Example() {
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop", Reporters: reporters})
	if err != nil {
		log.Fatal(err)
	}
	defer tracer.Close() // delivers what is still queued

	router := chi.NewRouter()
	router.Use(httpmw.Middleware(tracer))
	router.Get("/products/{id}", product)

	client := &http.Client{Transport: httpmw.Transport(tracer, nil)}
	server := grpc.NewServer(grpcmw.ServerOptions(tracer)...)
	conn, err := grpc.NewClient("localhost:9090", append(grpcmw.DialOptions(tracer), plaintext)...)

	use(router, client, server, conn, err)
	// Output: 200
}

// What stands here for the reader's own program.
var (
	reporters = []jaeger.Reporter{traceview.New(traceview.Config{})}
	plaintext = grpc.WithTransportCredentials(insecure.NewCredentials())
)

func product(http.ResponseWriter, *http.Request) {}

func use(router http.Handler, client *http.Client, server *grpc.Server, conn *grpc.ClientConn, err error) {
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	defer server.Stop()
	srv := httptest.NewServer(router)
	defer srv.Close()
	resp, err := client.Get(srv.URL + "/products/42")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
}
