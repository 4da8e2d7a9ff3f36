package httpmw

import (
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
