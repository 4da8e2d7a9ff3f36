package spanloom_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

// The bodies of these Examples are the code of docs/options.md.

func Example_errorPolicy() {
	forHTTP := httpmw.WithErrorPolicy(func(r *http.Request, client bool, status int) bool {
		return status >= 500 || !client && status == http.StatusTooManyRequests
	})
	forRPCs := grpcmw.WithErrorPolicy(func(fullMethod string, client bool, code codes.Code) bool {
		return code != codes.OK && code != codes.Canceled && code != codes.NotFound
	})

	tracer := mocktracer.New()
	request(httpmw.Middleware(tracer, forHTTP), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
	})
	rpc(grpcmw.UnaryServerInterceptor(tracer, forRPCs), func(context.Context, any) (any, error) {
		return nil, status.Error(codes.NotFound, "no such order")
	})
	for _, span := range tracer.FinishedSpans() {
		fmt.Println(span.OperationName, span.Tag("error"))
	}
	// Output:
	// GET true
	// /shop.Orders/Place <nil>
}

func Example_outcome() {
	forHTTP := httpmw.WithOutcome(func(span opentracing.Span, r *http.Request, o *httpmw.Outcome) {
		span.SetTag("tenant", r.Header.Get("X-Tenant"))
		o.IsError = o.IsError || o.BytesOut == 0 // an empty answer is a failure here
	})
	forRPCs := grpcmw.WithOutcome(func(ctx context.Context, span opentracing.Span, o *grpcmw.Outcome) {
		span.SetTag("tenant", tenantOf(ctx))
		o.IsError = o.IsError && o.Code != codes.AlreadyExists
	})

	tracer := mocktracer.New()
	request(httpmw.Middleware(tracer, forHTTP), func(http.ResponseWriter, *http.Request) {})
	rpc(grpcmw.UnaryServerInterceptor(tracer, forRPCs), func(context.Context, any) (any, error) { return nil, nil })
	for _, span := range tracer.FinishedSpans() {
		fmt.Println(span.OperationName, span.Tag("tenant"), span.Tag("error"))
	}
	// Output:
	// GET acme true
	// /shop.Orders/Place acme <nil>
}

// openRequests counts the requests that are open and those that failed, of both protocols.
type openRequests struct{ open, failed atomic.Int64 }

func (c *openRequests) end(failed bool) {
	c.open.Add(-1)
	if failed {
		c.failed.Add(1)
	}
}

// overHTTP is an [httpmw.Observer].
type overHTTP struct{ *openRequests }

func (c overHTTP) Started(*http.Request) { c.open.Add(1) }

func (c overHTTP) Ended(_ *http.Request, _ opentracing.Span, o *httpmw.Outcome) { c.end(o.IsError) }

// overGRPC is a [grpcmw.Observer].
type overGRPC struct{ *openRequests }

func (c overGRPC) Started(context.Context, grpcmw.Call) { c.open.Add(1) }

func (c overGRPC) Ended(_ context.Context, _ grpcmw.Call, _ opentracing.Span, o *grpcmw.Outcome) {
	c.end(o.IsError)
}

func Example_observer() {
	counts := &openRequests{}
	forHTTP := httpmw.WithObserver(overHTTP{counts})
	forRPCs := grpcmw.WithObserver(overGRPC{counts})

	tracer := opentracing.NoopTracer{} // observers are called without spans, too
	request(httpmw.Middleware(tracer, forHTTP), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	})
	rpc(grpcmw.UnaryServerInterceptor(tracer, forRPCs), func(context.Context, any) (any, error) {
		fmt.Println(counts.open.Load(), "open")
		return nil, nil
	})
	fmt.Println(counts.open.Load(), "open,", counts.failed.Load(), "failed")
	// Output:
	// 1 open
	// 0 open, 1 failed
}

func Example_baggageTags() {
	forHTTP := httpmw.WithBaggageTags("tenant")
	forRPCs := grpcmw.WithBaggageTags("tenant")

	tracer := mocktracer.New()
	request(httpmw.Middleware(tracer, forHTTP), func(http.ResponseWriter, *http.Request) {})
	rpc(grpcmw.UnaryServerInterceptor(tracer, forRPCs), func(context.Context, any) (any, error) { return nil, nil })
	for _, span := range tracer.FinishedSpans() {
		fmt.Println(span.OperationName, span.Tag("baggage.tenant"))
	}
	// Output:
	// GET acme
	// /shop.Orders/Place acme
}

func Example_profilingLabels() {
	forHTTP := httpmw.WithProfilingLabels()
	forRPCs := grpcmw.WithProfilingLabels()

	tracer := mocktracer.New()
	request(httpmw.Middleware(tracer, forHTTP), func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(pprof.Label(r.Context(), "span_name"))
	})
	rpc(grpcmw.UnaryServerInterceptor(tracer, forRPCs), func(ctx context.Context, _ any) (any, error) {
		fmt.Println(pprof.Label(ctx, "span_name"))
		return nil, nil
	})
	// Output:
	// GET true
	// /shop.Orders/Place true
}

func Example_setRoute() {
	router := func(w http.ResponseWriter, r *http.Request) { // one that the kit does not know
		httpmw.SetRoute(r, "/orders/{id}")
		w.WriteHeader(http.StatusNoContent)
	}

	tracer := mocktracer.New()
	request(httpmw.Middleware(tracer), router)
	fmt.Println(tracer.FinishedSpans()[0].OperationName)
	// Output:
	// GET /orders/{id}
}

// caller is the context of a caller that uses mocktracer, too.
var caller = map[string]string{
	"mockpfx-ids-traceid": "1", "mockpfx-ids-spanid": "2", "mockpfx-ids-sampled": "true", "mockpfx-baggage-tenant": "acme",
}

// request serves a request of the tenant acme.
func request(middleware func(http.Handler) http.Handler, h http.HandlerFunc) {
	r := httptest.NewRequest("GET", "/orders/7", nil)
	r.Header.Set("X-Tenant", "acme")
	for key, value := range caller {
		r.Header.Set(key, value)
	}
	middleware(h).ServeHTTP(httptest.NewRecorder(), r)
}

// rpc serves an RPC of the tenant acme.
func rpc(interceptor grpc.UnaryServerInterceptor, h grpc.UnaryHandler) {
	ctx := context.WithValue(context.Background(), tenantKey{}, "acme")
	ctx = metadata.NewIncomingContext(ctx, metadata.New(caller))
	_, _ = interceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/shop.Orders/Place"}, h)
}

type tenantKey struct{}

func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}
