package httpmw

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// response is what a server remembers of its response.
type response struct {
	inner    http.ResponseWriter
	ctx      context.Context // of the request, as net/http or an outer middleware made it
	status   int             // the first final one, 0 if none was sent
	bytes    int64
	first    time.Time // of the header
	err      error     // the first of writing
	gone     bool      // the client had gone before the status was written
	hijacked bool
	flushed  bool
	timed    bool // first is wanted even if nothing is flushed
}

// commit notes that the response's header has been sent with this status. Later ones are mistakes that net/http
// reports.
func (o *response) commit(status int) {
	if o.status != 0 || o.hijacked {
		return
	}
	o.status = status
	if o.timed {
		o.first = time.Now()
	}
	o.gone = status >= 500 && errors.Is(o.ctx.Err(), context.Canceled)
}

func (o *response) writeHeader(code int) {
	o.inner.WriteHeader(code)
	if code >= 200 || code == http.StatusSwitchingProtocols {
		o.commit(code)
	}
}

func (o *response) wrote(n int64, err error) {
	o.bytes += n
	if err != nil && o.err == nil {
		o.err = err
	}
}

func (o *response) write(p []byte) (int, error) {
	o.commit(http.StatusOK)
	n, err := o.inner.Write(p)
	o.wrote(int64(n), err)
	return n, err
}

func (o *response) writeString(s string) (int, error) {
	o.commit(http.StatusOK)
	n, err := o.inner.(io.StringWriter).WriteString(s)
	o.wrote(int64(n), err)
	return n, err
}

// readFrom commits only once bytes are sent: a source that fails at once leaves the status open.
func (o *response) readFrom(src io.Reader) (int64, error) {
	start := time.Now()
	n, err := o.inner.(io.ReaderFrom).ReadFrom(src)
	if n > 0 && o.status == 0 {
		o.commit(http.StatusOK)
		o.first = start
	}
	o.bytes += n
	return n, err
}

func (o *response) flush() {
	o.inner.(http.Flusher).Flush()
	o.sent()
}

func (o *response) flushError() error {
	err := o.inner.(flushErrorer).FlushError()
	if !errors.Is(err, http.ErrNotSupported) {
		o.sent()
		o.wrote(0, err)
	}
	return err
}

// sent notes that what was written has been flushed.
func (o *response) sent() {
	o.flushed = true
	o.commit(http.StatusOK)
	if o.first.IsZero() {
		o.first = time.Now()
	}
}

func (o *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := o.inner.(http.Hijacker).Hijack()
	if err == nil {
		o.hijacked = true
	}
	return conn, rw, err
}

func (o *response) push(target string, opts *http.PushOptions) error {
	return o.inner.(http.Pusher).Push(target, opts)
}
