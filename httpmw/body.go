package httpmw

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// responseBody is what a call knows of its response's body. Body and context may end in different goroutines.
type responseBody struct {
	inner  io.ReadCloser
	length int64 // -1 if unknown
	bytes  atomic.Int64
	last   atomic.Int64 // time.Duration from start to the last read
	stop   func() bool  // of watching the context; nil if it never ends
}

// watch puts the call in front of the body of the response that it returns. A body that is never closed ends with the
// context.
func (c *call) watch(resp *http.Response) *http.Response {
	b := &c.body
	b.inner, b.length = resp.Body, resp.ContentLength
	b.last.Store(int64(c.first))
	ctx := c.original.Context()
	if ctx.Done() != nil {
		b.stop = context.AfterFunc(ctx, func() { c.end(c.abandoned(ctx.Err())) })
	}
	if c.unclosed != nil {
		return c.droppable(resp)
	}
	resp.Body = wrap((*bodyReader)(c), resp.Body)
	return resp
}

// bodyFront is what stands before a body.
type bodyFront interface {
	io.ReadCloser
	writeTo(io.Writer) (int64, error) // if the body can
}

// wrap keeps the optional interfaces that bodies are known to have.
func wrap(b bodyFront, inner io.ReadCloser) io.ReadCloser {
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

// abandoned is the ending of a body whose context ended first. Its span ends with the last read, not with the
// clean-up.
func (c *call) abandoned(err error) ending {
	b := &c.body
	if b.length >= 0 && b.bytes.Load() >= b.length {
		return ending{at: time.Duration(b.last.Load())}
	}
	return ending{err: err, incomplete: true, at: time.Duration(b.last.Load())}
}

func (c *call) ended(e ending) {
	c.end(e)
	if c.body.stop != nil {
		c.body.stop()
	}
}

type bodyReader call

func (r *bodyReader) Read(p []byte) (int, error) {
	c := (*call)(r)
	n, err := c.body.inner.Read(p)
	c.body.bytes.Add(int64(n))
	if n > 0 && (c.body.stop != nil || c.unclosed != nil) {
		c.body.last.Store(int64(time.Since(c.span.StartTime())))
	}
	switch err {
	case nil:
	case io.EOF:
		c.ended(ending{})
	default:
		c.ended(ending{err: err, incomplete: true})
	}
	return n, err
}

func (r *bodyReader) Close() error {
	c := (*call)(r)
	err := c.body.inner.Close()
	if ended := c.original.Context().Err(); ended != nil {
		c.ended(c.abandoned(ended))
	} else {
		c.ended(ending{})
	}
	return err
}

// bodyCopier adds io.WriterTo.
type bodyCopier struct{ bodyFront }

func (b bodyCopier) WriteTo(w io.Writer) (int64, error) { return b.writeTo(w) }

func (r *bodyReader) writeTo(w io.Writer) (int64, error) {
	c := (*call)(r)
	n, err := c.body.inner.(io.WriterTo).WriteTo(w)
	c.body.bytes.Add(n)
	if err == nil {
		c.ended(ending{})
	}
	return n, err
}

// callContext is the context that the base transport sees: the caller's with the span in it.
type callContext call

func (c *callContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *callContext) Done() <-chan struct{}       { return c.parent.Done() }
func (c *callContext) Err() error                  { return c.parent.Err() }

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return (*call)(c)
	}
	if span := c.span.Value(key); span != nil {
		return span
	}
	return c.parent.Value(key)
}

func (c *call) context() context.Context {
	var ctx context.Context = (*callContext)(c)
	if c.config.events {
		c.events = &connEvents{tagWriter: tagWriter{config: c.config, span: &c.span}}
		ctx = c.events.watch(ctx)
	}
	return ctx
}
