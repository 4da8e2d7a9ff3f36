package otlp_test

import (
	"fmt"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

func Example() {
	process := &model.Process{Service: "shop"}
	span := model.Span{
		TraceID: model.TraceID{High: 1, Low: 2}, SpanID: 3, Name: "GET /cart", Start: time.Unix(1700000000, 0), Duration: time.Millisecond,
		Tags: []model.Tag{{Key: "span.kind", Value: model.String("server")}, {Key: "http.status_code", Value: model.Int(200)}},
	}

	body := otlp.AppendRequest(nil, process, [][]byte{otlp.AppendSpan(nil, &span)})

	batches, err := otlp.DecodeRequest(body, model.DecodeLimits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	got := batches[0].Spans[0]
	fmt.Println(batches[0].Process.Service, got.Name, got.Duration)
	for _, t := range got.Tags {
		fmt.Println(t.Key, t.Value.Str(), t.Value.Int())
	}
	// Output:
	// shop GET /cart 1ms
	// http.status_code  200
	// span.kind server 0
}

func ExampleDecodeRequestJSON() {
	body := `{"resourceSpans": [{"scopeSpans": [{"spans": [
		{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "hello", "kind": 2, "status": {"code": 2}}
	]}]}]}`
	batches, err := otlp.DecodeRequestJSON([]byte(body), model.DecodeLimits{Spans: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range batches[0].Spans[0].Tags {
		fmt.Println(t.Key, t.Value.Str(), t.Value.Bool())
	}
	// Output:
	// span.kind server false
	// error  true
	// otel.status_code ERROR false
}

func ExamplePartialSuccess() {
	answer := otlp.AppendResponse(nil, 2, "spans older than a day")
	rejected, why, err := otlp.PartialSuccess(answer)
	fmt.Println(rejected, why, err)
	// Output: 2 spans older than a day <nil>
}
