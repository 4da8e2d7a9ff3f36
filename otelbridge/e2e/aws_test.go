package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	//lint:ignore SA1019 programs still have this library, which is no longer supported
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"
)

// TestSpansOfOtelawsAreInTheTrace sends a message to a fake of Amazon SQS, and one more that is refused.
func TestSpansOfOtelawsAreInTheTrace(t *testing.T) {
	compareWithSDK(t, func(t *testing.T, tr tracing) {
		var mu sync.Mutex
		var parents []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			parents = append(parents, r.Header.Get("traceparent"))
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.Header().Set("X-Amzn-Requestid", "request 7")
			if len(parents) > 1 {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}`)
				return
			}
			_, _ = io.WriteString(w, `{"MessageId":"m7","MD5OfMessageBody":"b0cc0e80b2ab7ff5c88a1c2c2a5ef5cf"}`)
		}))
		defer server.Close()
		base := &http.Transport{}
		defer base.CloseIdleConnections()
		cfg := aws.Config{
			Region: "eu-north-1", BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: base},
			Credentials: aws.AnonymousCredentials{},
		}
		otelaws.AppendMiddlewares(&cfg.APIOptions, otelaws.WithTracerProvider(tr), otelaws.WithTextMapPropagator(tr))
		client := sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
		ctx, end := tr.Span(t.Context(), "order")
		defer end()
		message := &sqs.SendMessageInput{QueueUrl: aws.String(server.URL + "/1/orders"), MessageBody: aws.String("tea")}
		if _, err := client.SendMessage(ctx, message); err != nil {
			t.Error(err)
		}
		if _, err := client.SendMessage(ctx, message); err == nil {
			t.Error("no error")
		}
		if len(parents) != 2 || parents[0] == "" || parents[0] == parents[1] {
			t.Errorf("parents %q, want those of two spans", parents)
		}
	})
}
