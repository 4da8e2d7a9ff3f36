package httpmw_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
)

func ExampleMiddleware() {
	tracer := mocktracer.New()
	r := chi.NewRouter()
	r.Use(httpmw.Middleware(tracer))
	r.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })

	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/7", nil))

	span := tracer.FinishedSpans()[0]
	fmt.Println(span.OperationName, span.Tag("http.route"), span.Tag("http.status_code"))
	// Output: GET /users/{id} /users/{id} 200
}

func ExampleTransport() {
	tracer := mocktracer.New()
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()

	client := &http.Client{Transport: httpmw.Transport(tracer, nil)}
	resp, err := client.Get(srv.URL + "/users/7?token=mine")
	if err != nil {
		panic(err)
	}
	resp.Body.Close()

	span := tracer.FinishedSpans()[0]
	fmt.Println(span.OperationName, span.Tag("http.status_code"), span.Tag("error"))
	// Output: GET 404 true
}

func ExampleContextWithResends() {
	tracer := mocktracer.New()
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()

	client := httpmw.Client(tracer, srv.Client())
	ctx := httpmw.ContextWithResends(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	for status := 0; status != http.StatusOK; {
		resp, err := client.Do(req)
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		status = resp.StatusCode
	}

	for _, span := range tracer.FinishedSpans() {
		fmt.Println(span.Tag("http.status_code"), span.Tag("http.request.resend_count"))
	}
	// Output:
	// 503 <nil>
	// 503 1
	// 200 2
}

func ExampleClient() {
	tracer := mocktracer.New()
	srv := httptest.NewServer(httpmw.Middleware(tracer)(http.NotFoundHandler()))
	defer srv.Close()

	client := httpmw.Client(tracer, srv.Client(), httpmw.WithPeerService(func(r *http.Request) string { return "users" }))
	ctx := httpmw.ContextWithRoute(context.Background(), "/users/{id}")
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/users/7", nil)
	resp, err := client.Do(req)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()

	for _, span := range tracer.FinishedSpans() {
		if span.Tag("peer.service") != nil {
			fmt.Println(span.OperationName, "->", span.Tag("peer.service"))
		}
	}
	// Output: GET /users/{id} -> users
}

// A router that the kit does not know says by SetRoute which route it took.
func ExampleSetRoute() {
	tracer := mocktracer.New()
	router := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpmw.SetRoute(r, "/users/{id}")
	})

	httpmw.Middleware(tracer)(router).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/7", nil))

	fmt.Println(tracer.FinishedSpans()[0].OperationName)
	// Output: GET /users/{id}
}

// inFlight counts the requests that are being served.
type inFlight struct{ now, most, failed int }

func (f *inFlight) Started(*http.Request) {
	f.now++
	f.most = max(f.most, f.now)
}

func (f *inFlight) Ended(_ *http.Request, _ opentracing.Span, o *httpmw.Outcome) {
	f.now--
	if o.IsError {
		f.failed++
	}
}

func ExampleWithObserver() {
	var f inFlight
	// The observer is notified without a tracer, too. A real one counts with atomics: requests are served in parallel.
	h := httpmw.Middleware(opentracing.NoopTracer{}, httpmw.WithObserver(&f))(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }))

	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))

	fmt.Println(f.now, f.most, f.failed)
	// Output: 0 1 1
}

func ExampleWithErrorPolicy() {
	tracer := mocktracer.New()
	strict := httpmw.WithErrorPolicy(func(r *http.Request, client bool, status int) bool {
		return status >= 500 || !client && status == http.StatusTooManyRequests
	})
	h := httpmw.Middleware(tracer, strict)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))

	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))

	fmt.Println(tracer.FinishedSpans()[0].Tag("error"))
	// Output: true
}
