package traceview_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/traceview"
)

func Example() {
	view := traceview.New(traceview.Config{})
	defer view.Close()
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), view)
	defer closer.Close()

	mux := http.NewServeMux()
	mux.Handle("/debug/traces/", view)
	server := httptest.NewServer(mux)
	defer server.Close()

	tracer.StartSpan("GET /products/{id}").Finish()

	res, err := http.Get(server.URL + "/debug/traces/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	fmt.Println(res.Status, strings.Contains(string(page), "GET /products/{id}"))
	// Output: 200 OK true
}

// Programs in any language can send their spans to the view, as they would to a collector.
func ExampleNew_collector() {
	view := traceview.New(traceview.Config{Prefix: "/traces"})
	server := httptest.NewServer(view)
	defer server.Close()

	res, err := http.Post(server.URL+"/traces/v1/traces", "application/json", strings.NewReader(`{"resourceSpans": [{
		"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "billing"}}]},
		"scopeSpans": [{"spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
			"name": "charge", "startTimeUnixNano": "1760000000000000000", "endTimeUnixNano": "1760000000005000000"}]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	res.Body.Close()

	res, err = http.Get(server.URL + "/traces/api/services")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	fmt.Print(string(answer))
	// Output: {"data":["billing"],"total":1,"limit":0,"offset":0,"errors":null}
}
