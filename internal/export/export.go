package export

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// Sender is one backend's wire.
type Sender interface {
	// AppendSpan appends the wire form of one span, as it stands inside a batch. It is called in the goroutines that
	// finish spans, several at once, and must neither keep nor change s, which other exporters read, too.
	AppendSpan(dst []byte, s *model.Span) []byte
	// MaxBytes is the most that AppendSpan's output may add up to in one Batch.
	MaxBytes() int
	// Send delivers one batch; only the worker calls it, one call at a time. The error is nil, or it decides what
	// becomes of the batch: see [RetryError], [TooLargeError] and [RejectedError]; after any other error the batch is
	// dropped. No error may hold a secret. Send must not use b.Spans after it returned.
	Send(ctx context.Context, b Batch) error
	// Close releases connections. The worker calls it last; it must not block.
	Close()
}

// MessageBytes is what receivers take at least: the limit of a gRPC server, and so of a collector, is 4 MiB.
const MessageBytes = 4<<20 - 64<<10

// Batch is the encoded spans of one Send.
type Batch struct {
	Spans [][]byte // each as AppendSpan wrote it
}

// RetryError marks a failure that may pass.
type RetryError struct {
	Err     error
	After   time.Duration // the pause that the backend requires, or 0
	Others  bool          // the batch may be the cause: others are tried in between
	Suspect bool          // the same, and once another is taken the batch gets a few more tries only
}

func (e *RetryError) Error() string { return e.Err.Error() }
func (e *RetryError) Unwrap() error { return e.Err }

// TooLargeError says that the backend takes smaller batches only.
type TooLargeError struct{ Err error }

func (e *TooLargeError) Error() string { return e.Err.Error() }
func (e *TooLargeError) Unwrap() error { return e.Err }

// RejectedError says that the backend took a batch but not Count of its spans, and why. With Count 0 it is a
// warning of the backend's.
type RejectedError struct {
	Count int
	Err   error
}

func (e *RejectedError) Error() string { return e.Err.Error() }
func (e *RejectedError) Unwrap() error { return e.Err }

// Factory is a backend not yet opened, made by a constructor such as tracerinit.OTLPHTTP. It holds its secrets
// in Open alone, so that printing it is safe.
type Factory struct {
	Name     string        // as in Stats, Settings and logs: "otlp/http", "jaeger/udp"
	Endpoint string        // for Settings and logs: secrets masked
	Timeout  time.Duration // of one attempt to send; 0: the queue's
	Retry    Retry
	Open     func(Env) (Sender, error) // an error for a malformed endpoint, none for an unreachable one
}

// Env is what a Factory may use when it is opened.
type Env struct {
	Logger  *slog.Logger // nil: nothing is logged
	Process *model.Process
}

// Retry says how a batch is tried again after a failure that may pass.
type Retry struct {
	Initial time.Duration // first pause; 0: 200 ms
	Max     time.Duration // longest pause; 0: 5 s
	Limit   time.Duration // from the first attempt; 0: one minute, negative: no second attempt
}

// Overflow says which span goes when the queue is full.
type Overflow uint8

// The overflow policies.
const (
	DropNewest Overflow = iota
	DropOldest
	Block
)

// Queue sizes one pipeline. A field that is zero or negative takes the default, but a negative Bytes is no bound.
type Queue struct {
	Size     int           // spans waiting; default 8192
	Bytes    int           // of encoded spans, waiting and in flight; default 64 MiB
	Batch    int           // most spans in one send; default 512
	Interval time.Duration // longest wait for a batch to fill; default 1 s
	Timeout  time.Duration // of one attempt to send; default 10 s
	Overflow Overflow
}

// WithDefaults fills the fields left out. A batch is never larger than the queue.
func (q Queue) WithDefaults() Queue {
	if q.Size <= 0 {
		q.Size = 8192
	}
	if q.Bytes == 0 {
		q.Bytes = 64 << 20
	}
	if q.Batch <= 0 {
		q.Batch = 512
	}
	if q.Interval <= 0 {
		q.Interval = time.Second
	}
	if q.Timeout <= 0 {
		q.Timeout = 10 * time.Second
	}
	q.Batch = min(q.Batch, q.Size)
	return q
}

// Stats is an exact snapshot: Reported = Queued + InFlight + Delivered + Dropped.Total(), at any moment.
type Stats struct {
	Reported  uint64 // spans enqueued
	Queued    uint64
	InFlight  uint64 // taken by the worker, not delivered or dropped yet
	Bytes     uint64 // of the spans that are queued and in flight, encoded
	Delivered uint64
	Dropped   Drops
	Failures  uint64 // failed attempts to send, tried again or not
	LastError string // of the last failed attempt; holds no secret
}

// Drops counts lost spans by reason.
type Drops struct {
	QueueFull uint64 // the queue was full, by number or by bytes
	Failed    uint64 // the backend could not be reached until the time limit of retries
	Refused   uint64 // the backend refused the batch, or answered what no retry can mend
	Rejected  uint64 // the backend took the batch, but not these spans of it
	TooLarge  uint64 // did not fit one message or the whole queue, or could not be encoded
	Closed    uint64 // reported after Shutdown, or not sent when it ended
}

// Total adds the reasons up.
func (d Drops) Total() uint64 {
	return d.QueueFull + d.Failed + d.Refused + d.Rejected + d.TooLarge + d.Closed
}

// OTLPConfig is what the OTEL_EXPORTER_OTLP_* variables say about a gRPC endpoint.
type OTLPConfig struct {
	Endpoint    string            // http://, https:// (decides plaintext or TLS) or host:port
	Headers     map[string]string // sent as metadata
	TLS         *tls.Config       // nil: the system's roots
	TLSFiles    *TLSFiles         // nil: none; wins over TLS
	Insecure    bool              // plaintext for an endpoint without a scheme
	Compression string            // "gzip", "none", or "" to choose by endpoint
}
