package httpmw

import (
	"context"
	"errors"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// clientEnd is all that decides the outcome of a round trip. It is collected when the round trip has ended.
type clientEnd struct {
	panicked any   // by the base transport or the body
	goexit   bool  // one of them has called runtime.Goexit
	err      error // of the base transport or of reading the body; nil at its end
	dropped  bool  // nobody will read the body: its context ended before it was closed, or it is garbage

	status    int
	sent      int64         // bytes of the request's body, by its Content-Length
	hasBody   bool          // there is a response with a body
	declared  int64         // Content-Length of the response, -1 if unknown
	read      int64         // bytes of the response's body
	firstByte time.Duration // from the start of the span to the response's header
	lastRead  time.Duration // and to the last read of the body

	ctxErr   error // of the request's context
	overdue  bool  // the context's deadline has passed
	canceled bool  // the request's Cancel channel is closed
}

// incomplete reports whether the body was not read to its end, though its caller might have wanted to.
func (e *clientEnd) incomplete() bool {
	if e.dropped {
		return e.declared < 0 || e.read < e.declared
	}
	return e.hasBody && (e.err != nil || e.panicked != nil || e.goexit)
}

// result decides the outcome. It is a function of e alone.
func (e *clientEnd) result() (v result) {
	o := &v.Outcome
	o.Status, o.BytesIn, o.BytesOut, o.FirstByte = e.status, e.read, max(e.sent, 0), e.firstByte
	o.Err, o.Panic = e.err, e.panicked
	if e.dropped {
		o.Duration = e.lastRead // not the time when that was noticed
		if e.incomplete() {
			o.Err = e.ctxErr
		}
	}
	switch {
	case e.panicked != nil:
		o.IsError = true
	case e.goexit:
		o.IsError = true
		o.ErrorType, v.message = "goexit", "the transport's goroutine exited"
	case o.Err != nil:
		o.ErrorType = e.errorType(o.Err)
		o.IsError = o.ErrorType != canceled
	default:
		v.setByStatus(true)
	}
	v.looksFailed = failedByDefault(o.Status, true)
	return v
}

// errorType classifies an error, by what became of the request if that explains it: transports return errors of many
// kinds then. [http.Client] sets its timeout both as a deadline and by the request's Cancel channel.
func (e *clientEnd) errorType(err error) string {
	switch {
	case errors.Is(e.ctxErr, context.Canceled):
		return canceled
	case e.overdue, errors.Is(e.ctxErr, context.DeadlineExceeded):
		return timeout
	case e.canceled:
		return canceled
	}
	return errorType(err)
}

// end ends the round trip, unless that has been done: it decides the outcome, calls the hooks, sets the last tags and
// finishes the span. If another goroutine is about to do so, it waits.
func (s *clientState) end(e *clientEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.span.TryFinish()
	l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
	var finish opentracing.FinishOptions
	defer s.finish(&l, &finish) // a hook may end its goroutine
	s.recordEnd(&l, e, &finish)
}

// finish contains what a foreign tracer's span may panic with.
func (s *clientState) finish(l *rpcspan.Tags, o *opentracing.FinishOptions) {
	defer s.span.RecoverHook()
	if s.span.Started() {
		s.span.Finish(o.FinishTime, o.LogRecords, l)
	}
}

// recordEnd decides the outcome, and adds the last tags to l and the rest to finish. Whatever panics here, the span is
// finished all the same.
func (s *clientState) recordEnd(l *rpcspan.Tags, e *clientEnd, finish *opentracing.FinishOptions) {
	defer s.span.RecoverHook()
	s.collect(e)
	v := e.result()
	v.Method, v.Route, v.OperationName = foldedMethod(s.method), s.template, s.operation
	if e.dropped && e.lastRead > 0 {
		finish.FinishTime = s.span.StartTime().Add(e.lastRead)
	}
	t := tagWriter{s.config, &s.span, l}
	isError := v.IsError
	defer func() { // a hook may end its goroutine
		if s.events != nil {
			finish.LogRecords = s.events.close(t)
		}
		s.tagEnd(t, &v, e, isError)
	}()
	t.complete(&v, &s.copy, true)
	isError = v.IsError // if no hook returns
	isError = callHooks(&s.joined, &s.span, &s.copy, &v.Outcome, s.ownHooks())
}

// tagEnd adds the last tags.
func (s *clientState) tagEnd(t tagWriter, v *result, e *clientEnd, isError bool) {
	switch {
	case s.span.Recording():
		s.addRequestTags(t)
		s.tagResponse(t, v, e)
		t.recordResult(v, isError)
	case s.span.Observed():
		s.tagStatus(t)
		if isError {
			s.span.SetTag(semconv.KeyError, true)
		}
	}
}

// collect adds to e what the state knows.
func (s *clientState) collect(e *clientEnd) {
	b := &s.body
	e.status, e.sent, e.firstByte = int(s.status), s.copy.ContentLength, s.firstByte
	e.hasBody, e.declared, e.read = b.inner != nil, b.length, b.bytes.Load()
	e.lastRead = time.Duration(b.last.Load())
	e.ctxErr = s.parent.Err()
	if deadline, ok := s.parent.Deadline(); ok {
		e.overdue = !time.Now().Before(deadline)
	}
	select {
	case <-s.copy.Cancel: //lint:ignore SA1019 http.Client sets it, deprecated or not
		e.canceled = true
	default:
	}
}

// addRequestTags adds the tags of the request if the span was not sampled when it started. jaeger-client-go has
// dropped those that it started with.
func (s *clientState) addRequestTags(t tagWriter) {
	if !s.tagged {
		s.span.SetTag(semconv.KeySpanKind, ext.SpanKindRPCClientEnum)
		s.span.SetTags(s.tags...)
		s.tagRequest(t)
	}
}

// tagStatus adds the status, unless that was done when it was received.
func (s *clientState) tagStatus(t tagWriter) {
	if !s.headerTagged {
		s.headerTagged = true
		t.status(int(s.status))
	}
}

// tagResponse adds the tags of the response's body.
func (s *clientState) tagResponse(t tagWriter, v *result, e *clientEnd) {
	s.tagStatus(t)
	size := v.BytesIn
	if !e.hasBody {
		size = -1
	}
	t.sizes(v.BytesOut, size)
	if e.hasBody && e.declared < 0 {
		t.firstByte(e.firstByte)
	}
	if e.incomplete() {
		t.add(semconv.HTTPBodyIncomplete, true)
	}
}

// endPanicked is deferred directly around a call of the base transport or of a body. If the call does not return, it
// ends the round trip, and a panic goes on with the same value from here, so that its stack still shows where it began.
func (s *clientState) endPanicked(returned *bool) {
	if *returned {
		return
	}
	value := recover()
	s.end(&clientEnd{panicked: value, goexit: value == nil})
	if value != nil {
		panic(value)
	}
}
