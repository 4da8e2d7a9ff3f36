package httpmw

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// serverEnd is all that decides the outcome of a request on a server. It is collected when the handler has ended.
type serverEnd struct {
	returned     bool          // false after a panic, and after runtime.Goexit
	panicked     any           // the value of the panic
	head         bool          // the method is HEAD
	upgrade      bool          // the request has an Upgrade header
	status       int           // the final one that was sent, 0 if there was none
	received     int64         // bytes of the request's body, by its Content-Length
	written      int64         // bytes of the response's body
	declared     int64         // Content-Length of the response, -1 if the handler did not set it
	firstByte    time.Duration // from the start of the span to the response's header
	hijacked     bool
	writeErr     error // the first error of writing the response
	copyErr      error // the first error of ReadFrom, by the source or the client
	goneAtHeader bool  // the context was canceled when the header was sent
	ctxErr       error // of the context that the request came in with
	ctxCause     error
}

// serverBuffers is how many bytes of a response net/http may still hold when its handler returns.
const serverBuffers = 8 << 10

// hungUp reports whether the client was gone before it had all of the answer. net/http cancels the request's context
// then, without another cause. A response of declared length may be complete by that time, because clients may close
// the connection as soon as they have all of it.
func (e *serverEnd) hungUp() bool {
	if e.hijacked {
		return false
	}
	if peerGone(e.sinkErr()) {
		return true
	}
	if !errors.Is(e.ctxErr, context.Canceled) || e.ctxCause != nil && !errors.Is(e.ctxCause, context.Canceled) {
		return false
	}
	complete := e.declared > serverBuffers && e.written >= e.declared && e.writeErr == nil
	return !complete || e.goneAtHeader
}

// result decides the outcome. It is a function of e alone.
func (e *serverEnd) result() (v result) {
	o := &v.Outcome
	outside := errors.Is(e.writeErr, http.ErrHandlerTimeout) // an http.TimeoutHandler further out has answered
	o.Status, o.BytesIn, o.Err, o.Hijacked = e.status, max(e.received, 0), e.sinkErr(), e.hijacked
	if outside {
		o.Status = 0
	} else {
		o.FirstByte = e.firstByte
	}
	if !outside && !e.head {
		o.BytesOut = e.written
	}
	silent := o.Status == 0 && !e.hijacked
	gone := !outside && e.hungUp()
	timedOut := outside || silent && errors.Is(e.ctxErr, context.DeadlineExceeded)
	if (gone || timedOut) && o.Err == nil {
		o.Err = e.ctxErr
	}
	switch {
	case e.hijacked && e.status == 0 && e.upgrade:
		o.Status = http.StatusSwitchingProtocols
	case silent && e.returned && !gone && !timedOut:
		o.Status = http.StatusOK // which net/http sends now
	}
	switch {
	case e.panicked == http.ErrAbortHandler:
		o.Aborted = true
		o.ErrorType, v.message = "aborted", http.ErrAbortHandler.Error()
	case e.panicked != nil:
		o.Panic, o.IsError = e.panicked, true
	case !e.returned:
		o.IsError = true
		o.ErrorType, v.message = "goexit", "the handler's goroutine exited"
	case gone:
		o.Aborted = true
	case timedOut:
		o.IsError = true
	default:
		v.setByStatus(false)
	}
	v.looksFailed = failedByDefault(o.Status, false)
	return v
}

// peerGone reports whether a write failed because the client closed the connection or the stream. Methods of a broken
// error may panic, which is contained by the caller.
func peerGone(err error) bool {
	if err == nil {
		return false
	}
	if slices.ContainsFunc(goneErrors, func(gone error) bool { return errors.Is(err, gone) }) {
		return true
	}
	switch err.Error() { // net/http does not export these of HTTP/2
	case "client disconnected", "http2: stream closed":
		return true
	}
	return false
}

// sinkErr returns the first error of writing to the client, or nil. An error of ReadFrom may also come from the source,
// such as an upstream that closed its connection.
func (e *serverEnd) sinkErr() error {
	if e.writeErr != nil || !peerGone(e.copyErr) {
		return e.writeErr
	}
	for err := e.copyErr; err != nil; err = errors.Unwrap(err) {
		if op, ok := err.(*net.OpError); ok && op.Op == "read" {
			return nil
		}
	}
	return e.copyErr
}

// end ends the request: it decides the outcome, calls the hooks, sets the last tags and finishes the span.
func (s *serverState) end(returned bool, panicked any) {
	s.ended.Store(true)
	if !s.span.TryFinish() && s.span.Discarded() {
		return
	}
	l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
	defer s.finish(&l) // a hook may end its goroutine
	s.recordEnd(&l, returned, panicked)
}

// finish contains what a foreign tracer's span may panic with.
func (s *serverState) finish(l *rpcspan.Tags) {
	defer s.span.RecoverHook()
	s.chi, s.root = nil, nil // the router may be gone before the request's context is
	if s.span.Started() {
		s.span.Finish(time.Time{}, nil, l)
	}
}

// recordEnd decides the outcome and adds the last tags to l. Whatever panics here, the span is finished all the same.
func (s *serverState) recordEnd(l *rpcspan.Tags, returned bool, panicked any) {
	defer s.span.RecoverHook()
	s.updateRoute()
	if !s.span.Recording() && !s.span.Observed() && len(*s.hooks) == 0 && s.joined.CloseEmpty() {
		return // nobody would see the outcome
	}
	e := s.collect(returned, panicked)
	v := e.result()
	v.Method, v.Route, v.OperationName = foldedMethod(s.original.Method), s.route, s.name
	t := tagWriter{s.config, &s.span, l}
	isError := v.IsError
	defer func() { s.tagEnd(t, &v, e.sinkErr(), isError) }() // a hook may end its goroutine
	t.complete(&v, &s.copy, false)
	isError = v.IsError // if no hook returns
	isError = callHooks(&s.joined, &s.span, &s.copy, &v.Outcome, *s.hooks)
}

// tagEnd adds the last tags.
func (s *serverState) tagEnd(t tagWriter, v *result, writeErr error, isError bool) {
	switch {
	case s.span.Recording():
		s.addRequestTags(t)
		s.tagResponse(t, v, writeErr)
		t.recordResult(v, isError)
	case s.span.Observed():
		t.status(v.Status)
		if isError {
			s.span.SetTag(semconv.KeyError, true)
		}
	}
}

// updateRoute replaces the route and the operation name if another route is known now.
func (s *serverState) updateRoute() {
	route := s.router.after(s)
	if reported := s.reported.Load(); reported != nil && !s.settled {
		route = *reported
	}
	if set := s.routeSet.Load(); set != nil && (set.byUser || leadsOn(route)) {
		route = set.template
	}
	if route == s.route {
		return
	}
	name := s.nameOf(&s.copy, route)
	s.span.Rename(s.name, name)
	s.name, s.route = name, route
}

func (s *serverState) collect(returned bool, panicked any) serverEnd {
	out, r := &s.out, s.original
	ctx := r.Context()
	e := serverEnd{
		returned: returned, panicked: panicked,
		head: r.Method == http.MethodHead, upgrade: out.hijacked && isUpgrade(r.Header),
		status: out.status, received: r.ContentLength, written: out.bytes, declared: -1, hijacked: out.hijacked,
		writeErr: out.err, copyErr: out.copyErr, goneAtHeader: out.goneAtHeader,
		firstByte: out.first, ctxErr: ctx.Err(),
	}
	if e.ctxErr == nil {
		return e
	}
	e.ctxCause = context.Cause(ctx)
	if out.inner != nil {
		if n, err := strconv.ParseInt(out.inner.Header().Get("Content-Length"), 10, 64); err == nil {
			e.declared = n
		}
	}
	return e
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
