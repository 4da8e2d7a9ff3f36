package prommw

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/genproto/googleapis/rpc/code"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

// noStatus is the status of requests that had none, and of the overflow.
const noStatus = -1

// httpObserver is an [httpmw.Observer]. It is comparable, so that a request that passes two middlewares with it is
// counted once.
type httpObserver struct{ *side }

func (o httpObserver) Started(r *http.Request) { o.active.of(knownMethod(r.Method)).Inc() }

func (o httpObserver) Ended(_ *http.Request, span opentracing.Span, out *httpmw.Outcome) {
	o.active.of(out.Method).Dec()
	k := key{method: out.Method, route: out.Route, errorType: httpErrorType(out), status: out.Status}
	if k.status == 0 {
		k.status = noStatus
	}
	o.durations.observe(k, httpLabels, out.Duration, span)
}

// httpErrorType returns the type of the error if the request failed, which a hook may have decided.
func httpErrorType(out *httpmw.Outcome) string {
	switch {
	case !out.IsError && (out.Aborted || out.ErrorType == "context_canceled"):
		return aborted
	case !out.IsError:
		return ""
	case out.ErrorType == "":
		return other
	}
	return out.ErrorType
}

func httpLabels(k key) []string {
	status := ""
	if k.status != noStatus {
		status = strconv.Itoa(k.status)
	}
	return []string{k.method, valid(k.route), status, valid(k.errorType)}
}

type grpcObserver struct{ *side }

func (o grpcObserver) Started(_ context.Context, call grpcmw.Call) { o.active.of(call.Method).Inc() }

func (o grpcObserver) Ended(_ context.Context, call grpcmw.Call, span opentracing.Span, out *grpcmw.Outcome) {
	o.active.of(call.Method).Dec()
	k := key{method: call.Method, status: int(out.Code)}
	// A server's span does not fail for the mistakes of callers, whose code has a label of its own.
	if out.IsError {
		if k.errorType = out.ErrorType; k.errorType == "" {
			k.errorType = other
		}
	}
	o.durations.observe(k, grpcLabels, out.Duration, span)
}

func grpcLabels(k key) []string {
	status := ""
	if k.status != noStatus {
		status = code.Code_name[int32(k.status)] // as OpenTelemetry spells them
	}
	return []string{rpcMethod(k.method), status, valid(k.errorType)}
}

// rpcMethod returns the label of a full method.
func rpcMethod(full string) string {
	if full == grpcmw.UnknownMethod {
		return other
	}
	return valid(strings.TrimPrefix(full, "/"))
}

// maxLabel bounds the values of labels, in bytes.
const maxLabel = 256

// bounded returns value without what a label is too short for.
func bounded(value string) string { return value[:min(len(value), maxLabel)] }

// valid returns a label value that client_golang takes, which panics at what is not UTF-8.
func valid(value string) string { return strings.ToValidUTF8(bounded(value), "\uFFFD") }
