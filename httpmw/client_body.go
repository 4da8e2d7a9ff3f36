package httpmw

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// responseBody is what a round trip knows of its response's body.
type responseBody struct {
	inner  io.ReadCloser // nil if there is none
	length int64         // -1 if unknown
	bytes  atomic.Int64
	last   atomic.Int64 // time.Duration from the start to the last read
	stop   func() bool  // ends the watch of the context; nil if there is none
	closed atomic.Bool  // the caller has closed it, or is about to
}

// watch puts a bodyReader in front of the body of the response that it returns. The round trip ends with its context if
// the body is never closed.
func (s *clientState) watch(resp *http.Response) *http.Response {
	b := &s.body
	b.inner, b.length = resp.Body, resp.ContentLength
	b.last.Store(int64(s.firstByte))
	if s.parent.Done() != nil {
		b.stop = context.AfterFunc(s.parent, func() { s.end(&clientEnd{dropped: true}) })
	}
	if s.unclosed != nil {
		return s.detectLeak(resp)
	}
	resp.Body = keepInterfaces(bodyReader{s}, resp.Body)
	return resp
}

// bodyWrapper is the body that the caller gets, without optional interfaces.
type bodyWrapper interface {
	io.ReadCloser
	writeTo(io.Writer) (int64, error) // if the inner body can
}

// keepInterfaces adds the optional interfaces that bodies are known to have, if inner has them.
func keepInterfaces(b bodyWrapper, inner io.ReadCloser) io.ReadCloser {
	_, copies := inner.(io.WriterTo)
	w, writes := inner.(io.Writer)
	switch {
	case copies && writes:
		return struct {
			bodyCopier
			io.Writer
		}{bodyCopier{b}, w}
	case copies:
		return bodyCopier{b}
	case writes:
		return struct {
			io.ReadCloser
			io.Writer
		}{b, w}
	}
	return b
}

// endBody ends the round trip, and the watch of its context.
func (s *clientState) endBody(e *clientEnd) {
	s.end(e)
	if s.body.stop != nil {
		s.body.stop()
	}
}

// bodyReader watches the body of a response.
type bodyReader struct{ s *clientState }

func (r bodyReader) Read(p []byte) (int, error) {
	s, returned := r.s, false
	defer s.endPanicked(&returned)
	n, err := s.body.inner.Read(p)
	returned = true
	s.body.add(s, n)
	switch err {
	case nil:
	case io.EOF:
		s.endBody(&clientEnd{})
	default:
		s.endBody(s.body.failure(s, err))
	}
	return n, err
}

// failure returns the end of a round trip whose body could not be read to its end. A caller that closes a body while
// another goroutine reads from it has had enough: the error which that one gets is no failure.
func (b *responseBody) failure(s *clientState, err error) *clientEnd {
	if b.closed.Load() {
		return &clientEnd{dropped: s.parent.Err() != nil}
	}
	return &clientEnd{err: err}
}

// add records that n bytes were read just now.
func (b *responseBody) add(s *clientState, n int) {
	if n <= 0 {
		return
	}
	b.bytes.Add(int64(n))
	if b.stop != nil || s.unclosed != nil {
		b.last.Store(int64(time.Since(s.span.StartTime())))
	}
}

func (r bodyReader) Close() error {
	s, returned := r.s, false
	defer s.endPanicked(&returned)
	s.body.closed.Store(true)
	err := s.body.inner.Close()
	returned = true
	s.endBody(&clientEnd{dropped: s.parent.Err() != nil})
	return err
}

// bodyCopier adds [io.WriterTo].
type bodyCopier struct{ bodyWrapper }

func (b bodyCopier) WriteTo(w io.Writer) (int64, error) { return b.writeTo(w) }

func (r bodyReader) writeTo(w io.Writer) (int64, error) {
	s, returned := r.s, false
	defer s.endPanicked(&returned)
	sink := &bodySink{s: s}
	n, err := s.body.inner.(io.WriterTo).WriteTo(sink.wrap(w))
	returned = true
	switch {
	case err == nil:
		s.endBody(&clientEnd{})
	case !sink.failed:
		s.endBody(s.body.failure(s, err))
	}
	return n, err
}
