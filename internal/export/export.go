// Package export delivers finished spans: for each backend a bounded queue and one worker that batches, sends,
// retries and counts, so that a slow backend cannot starve another and no span is lost in silence.
package export

import (
	"context"
	"log/slog"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
)

// Sender is one backend's wire. Only the queue's worker calls it, one call at a time.
type Sender interface {
	// AppendSpan appends the wire form of one span, as it stands inside a batch.
	AppendSpan(dst []byte, s *model.Span) []byte
	// Send delivers one batch. It returns how many spans the backend refused although it took the batch.
	// An error that wraps *RetryError may be tried again; any other is final. No error may hold a secret.
	Send(ctx context.Context, b Batch) (rejected int, err error)
	// Close releases connections; it must not block.
	Close()
}

// Batch is the encoded spans of one Send.
type Batch struct {
	Process *model.Process
	Spans   [][]byte // each as AppendSpan wrote it
}

// RetryError marks an error worth another try; After is the pause the backend asked for, or 0.
type RetryError struct {
	Err   error
	After time.Duration
}

func (e *RetryError) Error() string { return e.Err.Error() }
func (e *RetryError) Unwrap() error { return e.Err }

// Factory is what the exporter constructors of tracerinit return: a backend not yet opened.
type Factory struct {
	Name     string // as in Stats and Settings: "otlp/http", "jaeger/udp"
	Endpoint string // for Settings and logs: secrets masked
	Open     func(Env) (Sender, error)
}

// Env is what a Factory may use when it is opened.
type Env struct {
	Logger     *slog.Logger
	Process    *model.Process
	Limits     model.Limits
	Timeout    time.Duration                   // of one Send
	TraceState func(jaeger.SpanContext) string // nil: none
}
