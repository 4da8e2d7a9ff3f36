package httpmw

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// response records what goes through the handler's writer. Its methods are those of all writers that wrap can return.
type response struct {
	s     *serverState
	inner http.ResponseWriter // nil if the handler has the writer itself

	status       int // the first final one, 0 if none was sent
	bytes        int64
	first        time.Duration // from the start of the span to the response's header, 0 if it was not sent
	err          error         // the first error of writing
	copyErr      error         // the first error of ReadFrom, by the source or the client
	goneAtHeader bool          // the request's context had ended when the header was sent
	hijacked     bool
	flushed      bool
	routed       bool        // a router in the goroutine of the middleware has led to a status of timeouts
	timed        atomic.Bool // first is recorded even if nothing is flushed
	header       *sentHeader // nil if nothing of it matters
}

// recordStatus records that the response's header is sent with this status. Later ones are mistakes that net/http
// reports.
func (o *response) recordStatus(status int) {
	if o.status != 0 || o.hijacked {
		return
	}
	o.status = status
	if isTimeout(status) && !(o.s.final && o.s.private) { // then nobody wants to know
		o.routed = routedHere()
	}
	if o.timed.Load() {
		o.first = o.elapsed()
	}
	o.goneAtHeader = o.s.original.Context().Err() != nil
}

// elapsed returns the time since the start of the span, which is never zero.
func (o *response) elapsed() time.Duration { return max(time.Since(o.s.span.StartTime()), 1) }

func (o *response) writeHeader(code int) {
	o.beforeHeader()
	o.inner.WriteHeader(code)
	if code >= 200 || code == http.StatusSwitchingProtocols {
		o.recordStatus(code)
		o.recordHeader()
	}
}

func (o *response) beforeWrite() {
	o.beforeHeader()
	o.recordStatus(http.StatusOK)
}

// recordWrite records the first error. That a status has no body, or that the connection is the handler's, is a mistake
// of the handler from which the answer does not suffer.
func (o *response) recordWrite(n int64, err error) {
	o.bytes += n
	if err != nil && o.err == nil && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrHijacked) {
		o.err = err
	}
	o.recordHeader()
}

func (o *response) write(p []byte) (int, error) {
	o.beforeWrite()
	n, err := o.inner.Write(p)
	o.recordWrite(int64(n), err)
	return n, err
}

func (o *response) writeString(s string) (int, error) {
	o.beforeWrite()
	n, err := o.inner.(io.StringWriter).WriteString(s)
	o.recordWrite(int64(n), err)
	return n, err
}

// readFrom records the status only once bytes are sent: a source that fails at once leaves it open.
func (o *response) readFrom(src io.Reader) (int64, error) {
	o.beforeHeader()
	start := o.elapsed()
	n, err := o.inner.(io.ReaderFrom).ReadFrom(src)
	if n > 0 && o.status == 0 {
		o.recordStatus(http.StatusOK)
		o.first = start
	}
	if err != nil && o.copyErr == nil {
		o.copyErr = err
	}
	o.recordWrite(n, nil)
	return n, err
}

func (o *response) flush() {
	o.beforeHeader()
	o.inner.(http.Flusher).Flush()
	o.recordFlush()
}

func (o *response) flushError() error {
	o.beforeHeader()
	return o.recordFlushError(o.inner.(flushErrorer).FlushError())
}

// recordFlush records that what was written has been sent, and at least the header.
func (o *response) recordFlush() {
	o.flushed = true
	o.recordStatus(http.StatusOK)
	if o.first == 0 {
		o.first = o.elapsed()
	}
	o.recordHeader()
}

// recordFlushError returns err. A flush that is not supported sends nothing.
func (o *response) recordFlushError(err error) error {
	if !errors.Is(err, http.ErrNotSupported) {
		o.recordFlush()
		o.recordWrite(0, err)
	}
	return err
}

func (o *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	return o.recordHijack(o.inner.(http.Hijacker).Hijack())
}

func (o *response) recordHijack(conn net.Conn, rw *bufio.ReadWriter, err error) (net.Conn, *bufio.ReadWriter, error) {
	if err == nil {
		o.hijacked = true
	}
	return conn, rw, err
}

func (o *response) push(target string, opts *http.PushOptions) error {
	return o.inner.(http.Pusher).Push(target, opts)
}
