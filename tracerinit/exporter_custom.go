package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
)

// Exporter is a backend that spans are sent to. [OTLPHTTP], [JaegerHTTP], [JaegerUDP], [Console] and package otlpgrpc
// make them; a program implements the interface to send spans elsewhere. [Start] opens each exporter and gives it a
// queue, a worker and counters of its own. One Exporter may serve several tracers.
type Exporter interface {
	// Name identifies the kind of backend in Stats, Settings and logs, such as "otlp/http".
	Name() string
	// Endpoint says in Stats, Settings and logs where spans go. It must hold no secret.
	Endpoint() string
	// Open returns what spans of the process are encoded and sent with. It needs no network: an error means that the
	// exporter is misconfigured, and fails Start.
	Open(process Process) (Sender, error)
}

// Sender encodes and sends spans for one tracer.
type Sender interface {
	// AppendSpan appends the encoded span to dst and returns the result. It is called when the span ends, in the
	// goroutine that ends it, several at once; so it should be quick. It must not keep span. A span whose encoding
	// panics is dropped.
	AppendSpan(dst []byte, span *Span) []byte
	// Send delivers a batch of spans, each as AppendSpan encoded it, before ctx ends. There is one call at a time.
	// After an error that [Retryable] made, the same batch is sent again later; after any other, it is dropped. Both
	// are counted, and logged at most once a minute, so the error must hold no secret. Send must not use spans after it
	// has returned.
	Send(ctx context.Context, spans [][]byte) error
	// Close is called once, after the last Send. It should not block.
	Close() error
}

// Retryable marks an error of [Sender.Send] as one that may pass. The batch is sent again after the given pause or, if
// that is zero, after a pause that grows with each attempt; it is dropped when that has gone on for a minute.
func Retryable(err error, pause time.Duration) error {
	return &export.RetryError{Err: err, After: pause}
}

// Process describes the program whose spans an [Exporter] sends: its service name and its tags, of the types that
// [SpanTag] has.
type Process struct {
	Service string
	Tags    []SpanTag
}

// Span is a finished span as an [Exporter] sees it. Ids are lower-case hexadecimal digits.
type Span struct {
	TraceID    string // 32 digits
	SpanID     string // 16 digits
	ParentID   string // 16 digits, or "" for a root
	TraceState string // W3C tracestate, or ""
	Name       string
	Start      time.Time
	Duration   time.Duration
	Tags       []SpanTag // each key once
	Logs       []SpanLog
	References []SpanReference // but the one to the parent
	// What [Limits] took from the span: tags, logs and fields of logs left out, and values shortened.
	DroppedTags, DroppedLogs, DroppedFields, ShortenedValues int
}

// SpanTag is a tag of a span, a field of a log, or a tag of the process. Value is a string, bool, int64, float64 or
// []byte.
type SpanTag struct {
	Key   string
	Value any
}

// SpanLog is an event of a span.
type SpanLog struct {
	Time   time.Time
	Fields []SpanTag
}

// SpanReference is a reference to another span, possibly of another trace.
type SpanReference struct {
	FollowsFrom     bool // else child-of
	TraceID, SpanID string
}

// NewExporter is for the packages of this module that make exporters, such as otlpgrpc.
func NewExporter(f export.Factory) Exporter { return builtin{f} }

// builtin is an exporter of this module.
type builtin struct{ factory export.Factory }

func (b builtin) Name() string     { return b.factory.Name }
func (b builtin) Endpoint() string { return b.factory.Endpoint }

// Format writes name and endpoint whatever the verb, since the rest may hold secrets.
func (b builtin) Format(s fmt.State, _ rune) { fmt.Fprint(s, b.factory.Name, " ", b.factory.Endpoint) }

// Open serves exporters that wrap this one.
func (b builtin) Open(process Process) (Sender, error) {
	if b.factory.Open == nil {
		return nil, errors.New("the exporter has no backend")
	}
	p := &model.Process{Service: process.Service, Tags: modelTags(process.Tags)}
	s, err := b.factory.Open(export.Env{Process: p})
	if err != nil {
		return nil, err
	}
	return builtinSender{s}, nil
}

type builtinSender struct{ export.Sender }

func (b builtinSender) AppendSpan(dst []byte, s *Span) []byte {
	return b.Sender.AppendSpan(dst, modelSpan(s))
}

func (b builtinSender) Send(ctx context.Context, spans [][]byte) error {
	return b.Sender.Send(ctx, export.Batch{Spans: spans})
}

func (b builtinSender) Close() error {
	b.Sender.Close()
	return nil
}

// factory is what the pipeline of an exporter is started with.
func factory(e Exporter) export.Factory {
	if e == nil {
		return export.Factory{Name: "nil"}
	}
	if b, ok := e.(builtin); ok {
		return b.factory
	}
	return export.Factory{
		Name: e.Name(), Endpoint: e.Endpoint(),
		Open: func(env export.Env) (export.Sender, error) {
			s, err := e.Open(Process{env.Process.Service, spanTags(env.Process.Tags)})
			if err != nil {
				return nil, err
			}
			if s == nil {
				return nil, errors.New("Open returned no Sender")
			}
			return customSender{s, e.Name()}, nil
		},
	}
}

// customSender is a [Sender] of the application's.
type customSender struct {
	s    Sender
	name string
}

func (c customSender) AppendSpan(dst []byte, s *model.Span) []byte {
	return c.s.AppendSpan(dst, exportedSpan(s))
}

func (customSender) MaxBytes() int { return export.MessageBytes }

// Send calls the application's in a goroutine of its own: one that ends its goroutine, as FailNow of package testing
// does in a test's exporter, would end the worker's.
func (c customSender) Send(ctx context.Context, b export.Batch) error {
	result := make(chan error, 1)
	go func() {
		err := errors.New(c.name + ": sending ended its goroutine")
		defer func() {
			if recover() != nil {
				err = errors.New(c.name + ": sending panicked")
			}
			result <- err
		}()
		err = c.s.Send(ctx, b.Spans)
	}()
	return <-result
}

func (c customSender) Close() {
	defer func() { _ = recover() }()
	_ = c.s.Close()
}
