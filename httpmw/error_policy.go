package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// failedByDefault reports whether a status marks a span as failed unless [WithErrorPolicy] says otherwise: on a server
// the mistakes of the server, on a client those of its request, too.
func failedByDefault(status int, client bool) bool { return status >= 500 || client && status >= 400 }

// setByStatus leaves it to the status whether the request failed.
func (v *result) setByStatus(client bool) {
	v.byStatus, v.IsError = v.Status > 0, failedByDefault(v.Status, client)
}

// isErrorByPolicy returns otherwise if the policy panics.
func (t tagWriter) isErrorByPolicy(r *http.Request, client bool, status int, otherwise bool) (isError bool) {
	isError = otherwise
	defer t.span.RecoverHook()
	return t.errorPolicy(r, client, status)
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
