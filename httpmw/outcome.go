package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Outcome is what is known of a request when its span ends, on a server or a client. A hook may set IsError; what it
// writes to other fields is discarded. It must not be kept by the hook.
type Outcome struct {
	Method        string        // upper case; _OTHER if it is not one of a bounded number of known methods
	Route         string        // template of the path; "" if unknown
	OperationName string        // that the kit gives the span, or would give it; a handler may have set another
	Status        int           // final status sent or received; 0 if there was none
	BytesIn       int64         // received: request body by Content-Length on a server, response body read on a client
	BytesOut      int64         // sent: response body on a server, request body by Content-Length on a client
	Duration      time.Duration // from start to end of the span
	FirstByte     time.Duration // from start to the response's header; 0 if there was none
	Err           error         // of the transport, of reading or writing a body, or of a context that ended first
	ErrorType     string        // panic, timeout, context_canceled, aborted, the failing status, or Err's Go type; else ""
	Panic         any           // what the handler or transport panicked with
	Hijacked      bool          // the handler took over the connection
	Aborted       bool          // http.ErrAbortHandler, or the client was gone before it had all of the answer
	IsError       bool          // whether the span is marked as failed
}

// result is an outcome, and what the span records of it if it is an error.
type result struct {
	Outcome
	message     string // of the error; "" for Err's text, or that of the status
	byStatus    bool   // nothing but the status decides whether it is an error
	looksFailed bool   // the status looks like an error to backends
}

// failedByDefault reports whether a status marks a span as failed unless [WithErrorPolicy] says otherwise: on a server
// the mistakes of the server, on a client those of its request, too.
func failedByDefault(status int, client bool) bool { return status >= 500 || client && status >= 400 }

// setByStatus leaves it to the status whether the request failed.
func (v *result) setByStatus(client bool) {
	v.byStatus, v.IsError = v.Status > 0, failedByDefault(v.Status, client)
}

// complete sets what the two sides decide alike: whether the status is an error, and the type of the error. The hooks
// are called next.
func (t tagWriter) complete(v *result, r *http.Request, client bool) {
	if v.byStatus && t.errorPolicy != nil {
		v.IsError = t.isErrorByPolicy(r, client, v.Status, v.IsError)
	}
	switch {
	case v.ErrorType != "":
	case v.Panic != nil:
		v.ErrorType = semconv.PanicType
	case v.Err != nil:
		v.ErrorType = errorType(v.Err)
	case v.IsError:
		v.ErrorType = strconv.Itoa(v.Status)
	}
}

// isErrorByPolicy returns otherwise if the policy panics.
func (t tagWriter) isErrorByPolicy(r *http.Request, client bool, status int, otherwise bool) (isError bool) {
	isError = otherwise
	defer t.span.RecoverHook()
	return t.errorPolicy(r, client, status)
}

// recordResult marks a failed span and logs the error. A span that did not fail still gets the error.type of its
// error, and an explicit status where backends would derive an error from http.status_code.
func (t tagWriter) recordResult(v *result, isError bool) {
	kind, message := v.ErrorType, v.message
	if message == "" && v.Err != nil {
		message = t.message(v.Err)
	}
	switch {
	case isError && v.Panic != nil:
		value := v.Panic
		if err, ok := value.(error); ok {
			value = t.message(err)
		}
		t.span.Panicked(value, t.tags)
	case isError:
		if kind == "" {
			kind = strconv.Itoa(v.Status)
		}
		if message == "" {
			message = http.StatusText(v.Status)
		}
		t.add(semconv.StatusDescription, model.Cut(message, semconv.MaxMessage))
		t.span.Fail(kind, message, nil)
		t.add(semconv.ErrorType, kind)
	case v.Err != nil:
		t.add(semconv.ErrorType, kind)
	}
	if !isError && v.looksFailed {
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
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, http.ErrHandlerTimeout),
		errors.As(err, &timer) && timer.Timeout():
		return timeout
	}
	return kind
}
