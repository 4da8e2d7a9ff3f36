package tracerinit

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spanloom/spanloom/internal/export"
)

// Queue sizes the queue that each exporter has. A field that is zero takes its default. Spans are encoded, within
// [Limits], when they end: a queue holds nothing of the application's. A span larger than Bytes is dropped.
type Queue struct {
	Size     int           // spans waiting for the worker; default 8192
	Bytes    int           // of the spans waiting and in flight, encoded; default 64 MiB, negative: no bound
	Batch    int           // most spans in one request; default 512; a batch is also limited to 1 MiB
	Interval time.Duration // a smaller batch is sent when its first span has waited this long; default 1 s
	Timeout  time.Duration // of one attempt to send; default 10 s
	Overflow Overflow      // which span goes when Size or Bytes are reached
}

// export converts q to what the pipelines take.
func (q Queue) export() export.Queue {
	return export.Queue{
		Size: q.Size, Bytes: q.Bytes, Batch: q.Batch, Interval: q.Interval, Timeout: q.Timeout,
		Overflow: export.Overflow(q.Overflow),
	}
}

// Overflow says which span goes when a queue is full, as while its backend is down. Lost spans are counted.
type Overflow uint8

// The overflow policies.
const (
	DropNewest Overflow = Overflow(export.DropNewest) // keep what is queued; the default
	DropOldest Overflow = Overflow(export.DropOldest) // keep the latest spans
	Block      Overflow = Overflow(export.Block)      // Span.Finish waits for room, or for Shutdown: for batch jobs
)

// String returns the policy's name.
func (o Overflow) String() string {
	switch o {
	case DropNewest:
		return "drop-newest"
	case DropOldest:
		return "drop-oldest"
	case Block:
		return "block"
	}
	return "unknown"
}

// Retry says how an exporter tries again to send a batch after a failure that may pass: no connection or no answer, and
// the statuses that the protocol names: over OTLP/HTTP 429, 502, 503 and 504, over Jaeger's HTTP 429 and 5xx, over
// OTLP/gRPC those of https://opentelemetry.io/docs/specs/otlp/#failures. Pauses double from Initial to Max, with
// jitter, and are at least as long as the backend requires, up to five minutes and to Limit, when the last try is made.
// While a batch gets no answer, 502 or 504, or a status of gRPC that may pass, the batches behind it are tried in
// between. A Jaeger batch that keeps failing with 5xx while one behind it is taken gets three further tries.
type Retry struct {
	Initial time.Duration // first pause; default 200 ms
	Max     time.Duration // longest pause; default 5 s
	Limit   time.Duration // when to drop the batch, from its first attempt; default 1 min; negative: do not retry
}

// Secret is a string that prints as ***, also in JSON and slog. Convert it to string to use it.
type Secret string

const mask = "***"

// String returns "***".
func (Secret) String() string { return mask }

// Format writes "***" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, mask) }

// MarshalText returns "***".
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue returns "***".
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }
