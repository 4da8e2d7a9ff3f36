package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spanloom/spanloom/internal/model"
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
	Aborted   bool          // http.ErrAbortHandler, or the client was gone before it was answered
	IsError   bool          // whether the span is marked as failed
}

// failure is why a span is marked as failed.
type failure struct{ kind, message string }

// judge marks a failed span, with one log that says why. One that did not fail still tells what went wrong, and, if
// suspect, that its status is no error: backends derive errors from status codes.
func (t tagger) judge(o Outcome, failed bool, why failure, suspect bool) {
	if failed && o.Panic != nil {
		t.span.Panicked(o.Panic)
		return
	}
	if why.kind == "" && o.Err != nil {
		why = failure{errorType(o.Err), t.message(o.Err)}
	}
	if failed {
		if why.kind == "" {
			why = failure{strconv.Itoa(o.Status), http.StatusText(o.Status)}
		}
		t.set("otel.status_description", model.Cut(why.message, maxHeaderTag))
		t.span.Fail(why.kind, why.message, nil)
		t.set("error.type", why.kind)
		return
	}
	if o.Err != nil {
		t.set("error.type", why.kind)
	}
	if suspect {
		t.set("otel.status_code", "OK")
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
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timer) && timer.Timeout():
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
		o.Duration = time.Since(t.span.Began())
	}
	defer t.span.Contain()
	t.outcome(t.span.OpenTracing(), r, &o)
	return o.IsError
}
