package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Outcome is what is known of a request when its span ends. A hook may change IsError; changes of other fields
// have no effect.
type Outcome struct {
	Route     string        // template, "" if unknown
	Status    int           // final status sent or received; 0 if there was none
	BytesIn   int64         // received: request body by Content-Length on a server, response body read on a client
	BytesOut  int64         // sent: response body on a server, request body by Content-Length on a client
	Duration  time.Duration // from start to end of the span
	FirstByte time.Duration // from start to the response's header; 0 if there was none
	Err       error         // of the transport, of reading or writing a body, or of a context that ended first
	Panic     any           // what the handler or transport panicked with
	Hijacked  bool          // the handler took over the connection
	Aborted   bool          // http.ErrAbortHandler, or the client was gone before it had all of the answer
	IsError   bool          // whether the span is marked as failed
}

// failure is why a span is marked as failed.
type failure struct{ kind, message string }

// judge marks a failed span, with one log that says why. One that did not fail still tells what went wrong, and, if
// suspect, that its status is no error: backends derive errors from status codes.
func (t tagger) judge(o Outcome, failed bool, why failure, suspect bool) {
	if failed && o.Panic != nil {
		value := o.Panic
		if err, ok := value.(error); ok {
			value = t.message(err)
		}
		t.span.Panicked(value, t.tags)
		return
	}
	if why.kind == "" && o.Err != nil {
		why = failure{errorType(o.Err), t.message(o.Err)}
	}
	if failed {
		if why.kind == "" {
			why = failure{strconv.Itoa(o.Status), http.StatusText(o.Status)}
		}
		t.add(semconv.StatusDescription, model.Cut(why.message, semconv.MaxMessage))
		t.span.Fail(why.kind, why.message, nil)
		t.add(semconv.ErrorType, why.kind)
		return
	}
	if o.Err != nil {
		t.add(semconv.ErrorType, why.kind)
	}
	if suspect {
		t.add(semconv.StatusCode, "OK")
	}
}

// Values of error.type for requests that were given up.
const (
	canceled = "context_canceled"
	timeout  = "timeout"
)

// errorType classifies an error: canceled, timeout, or the type it has. Methods of a broken error may panic.
func errorType(err error) (kind string) {
	kind = fmt.Sprintf("%T", err)
	defer func() { _ = recover() }()
	var timer interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, http.ErrHandlerTimeout), errors.As(err, &timer) && timer.Timeout():
		return timeout
	}
	return kind
}

// verdict calls the user's hook and returns whether the span failed.
func (t tagger) verdict(r *http.Request, o Outcome) bool {
	if t.outcome == nil {
		return o.IsError
	}
	return t.verdictOfHook(r, o)
}

func (t tagger) verdictOfHook(r *http.Request, o Outcome) (isError bool) {
	isError = o.IsError
	if o.Duration == 0 {
		o.Duration = time.Since(t.span.StartTime())
	}
	defer t.span.RecoverHook()
	t.outcome(t.span.OpenTracingSpan(), r, &o)
	return o.IsError
}

// outcome tells what became of the request, and why it failed if it did so by anything but its status.
func (s *request) outcome(done bool, value any) (o Outcome, why failure) {
	out := &s.out.response
	o = Outcome{
		Route: s.route, Status: out.status, BytesIn: max(s.original.ContentLength, 0), BytesOut: out.bytes,
		Err: out.err, Hijacked: out.hijacked,
	}
	late := errors.Is(out.err, http.ErrHandlerTimeout) // an http.TimeoutHandler further out has answered
	if late {
		o.Status = 0
	}
	if late || s.original.Method == http.MethodHead {
		o.BytesOut = 0
	}
	if !late && !out.first.IsZero() {
		o.FirstByte = out.first.Sub(s.span.StartTime())
	}
	ended := out.ctx.Err()
	silent := o.Status == 0 && !out.hijacked
	timedOut := late || (silent && errors.Is(ended, context.DeadlineExceeded))
	gone := out.gone || (silent && errors.Is(ended, context.Canceled))
	if (silent || out.gone) && o.Err == nil {
		o.Err = ended
	}
	switch {
	case out.hijacked && out.status == 0 && isUpgrade(s.original.Header):
		o.Status = http.StatusSwitchingProtocols
	case silent && done && !gone && !timedOut:
		o.Status = http.StatusOK
	}
	switch {
	case value == http.ErrAbortHandler:
		o.Aborted = true
		why = failure{"aborted", http.ErrAbortHandler.Error()}
	case value != nil:
		o.Panic, o.IsError = value, true
	case !done:
		o.IsError = true
		why = failure{"goexit", "the handler's goroutine exited"}
	case gone:
		o.Aborted = true
	case timedOut:
		o.IsError = true
	default:
		o.Aborted = out.err != nil && errors.Is(ended, context.Canceled)
		o.IsError = o.Status >= 500
	}
	return o, why
}

func isUpgrade(h http.Header) bool {
	if len(h["Upgrade"]) == 0 {
		return false
	}
	for _, v := range h["Connection"] {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}

// ending is how a round trip ended.
type ending struct {
	err        error
	panic      any
	goexit     bool
	incomplete bool          // the body was not read to its end
	at         time.Duration // since start; 0 for now
}

func (c *call) outcome(e ending) (o Outcome, why failure) {
	o = Outcome{
		Route: c.template, Status: c.status, BytesIn: c.body.bytes.Load(), BytesOut: max(c.original.ContentLength, 0),
		FirstByte: c.first, Duration: e.at, Err: e.err, Panic: e.panic,
	}
	switch {
	case e.panic != nil:
		o.IsError = true
	case e.goexit:
		o.IsError = true
		why = failure{"goexit", "the transport's goroutine exited"}
	case e.err != nil:
		why = failure{c.cause(e.err), tagger{config: c.config, span: &c.span}.message(e.err)}
		o.IsError = why.kind != canceled
	default:
		o.IsError = c.status >= 400
	}
	return o, why
}

// cause classifies an error by what became of the request's context: the transport may give any error then.
// http.Client sets deadlines both there and by the request's Cancel.
func (c *call) cause(err error) string {
	ctx := c.original.Context()
	deadline, timed := ctx.Deadline()
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return canceled
	case timed && !time.Now().Before(deadline):
		return timeout
	}
	select {
	case <-c.original.Cancel: //lint:ignore SA1019 http.Client sets it, deprecated or not
		return canceled
	default:
		return errorType(err)
	}
}
