package httpmw

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/felixge/httpsnoop"
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
}

// commit notes that the response's header has been sent with this status. Later ones are mistakes that net/http
// reports.
func (o *response) commit(status int) {
	if o.status != 0 || o.hijacked {
		return
	}
	o.status = status
	o.first = time.Now()
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
	o.flushed = true
	o.commit(http.StatusOK)
}

func (o *response) flushError() error {
	err := o.inner.(flushErrorer).FlushError()
	o.flushed = true
	o.commit(http.StatusOK)
	o.wrote(0, err)
	return err
}

func (o *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := o.inner.(http.Hijacker).Hijack()
	if err == nil {
		o.hijacked = true
	}
	return conn, rw, err
}

type flushErrorer interface{ FlushError() error }

type deadliner interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

type fullDuplexer interface{ EnableFullDuplex() error }

// http1Inner and http2Inner are what net/http's own writers offer.
type http1Inner interface {
	http.Flusher
	flushErrorer
	http.CloseNotifier
	http.Hijacker
	io.ReaderFrom
	deadliner
	fullDuplexer
	io.StringWriter
}

type http2Inner interface {
	http.Flusher
	flushErrorer
	http.CloseNotifier
	http.Pusher
	deadliner
	fullDuplexer
	io.StringWriter
}

// writer returns a writer that notes what goes through it and has the optional interfaces of w, no more and no
// fewer. Those of net/http cost nothing, being the request's state itself under another type.
func (o *response) writer(w http.ResponseWriter) http.ResponseWriter {
	o.inner = w
	_, pushes := w.(http.Pusher)
	if _, ok := w.(http1Inner); ok && !pushes {
		return (*http1Writer)(o)
	}
	if _, ok := w.(http2Inner); ok {
		_, hijacks := w.(http.Hijacker)
		_, reads := w.(io.ReaderFrom)
		if !hijacks && !reads {
			return (*http2Writer)(o)
		}
	}
	return o.snoop(w)
}

// snoop wraps writers of any other shape.
func (o *response) snoop(w http.ResponseWriter) http.ResponseWriter {
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		WriteHeader: func(httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc { return o.writeHeader },
		Write:       func(httpsnoop.WriteFunc) httpsnoop.WriteFunc { return o.write },
		WriteString: func(httpsnoop.WriteStringFunc) httpsnoop.WriteStringFunc { return o.writeString },
		ReadFrom:    func(httpsnoop.ReadFromFunc) httpsnoop.ReadFromFunc { return o.readFrom },
		Flush:       func(httpsnoop.FlushFunc) httpsnoop.FlushFunc { return o.flush },
		FlushError:  func(httpsnoop.FlushErrorFunc) httpsnoop.FlushErrorFunc { return o.flushError },
		Hijack:      func(httpsnoop.HijackFunc) httpsnoop.HijackFunc { return o.hijack },
	})
}

type http1Writer response

func (w *http1Writer) of() *response                       { return (*response)(w) }
func (w *http1Writer) Unwrap() http.ResponseWriter         { return w.inner }
func (w *http1Writer) Header() http.Header                 { return w.inner.Header() }
func (w *http1Writer) WriteHeader(code int)                { w.of().writeHeader(code) }
func (w *http1Writer) Write(p []byte) (int, error)         { return w.of().write(p) }
func (w *http1Writer) WriteString(s string) (int, error)   { return w.of().writeString(s) }
func (w *http1Writer) ReadFrom(r io.Reader) (int64, error) { return w.of().readFrom(r) }
func (w *http1Writer) Flush()                              { w.of().flush() }
func (w *http1Writer) FlushError() error                   { return w.of().flushError() }
func (w *http1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.of().hijack()
}
func (w *http1Writer) CloseNotify() <-chan bool {
	return w.inner.(http.CloseNotifier).CloseNotify()
}
func (w *http1Writer) SetReadDeadline(t time.Time) error {
	return w.inner.(deadliner).SetReadDeadline(t)
}
func (w *http1Writer) SetWriteDeadline(t time.Time) error {
	return w.inner.(deadliner).SetWriteDeadline(t)
}
func (w *http1Writer) EnableFullDuplex() error { return w.inner.(fullDuplexer).EnableFullDuplex() }

type http2Writer response

func (w *http2Writer) of() *response                     { return (*response)(w) }
func (w *http2Writer) Unwrap() http.ResponseWriter       { return w.inner }
func (w *http2Writer) Header() http.Header               { return w.inner.Header() }
func (w *http2Writer) WriteHeader(code int)              { w.of().writeHeader(code) }
func (w *http2Writer) Write(p []byte) (int, error)       { return w.of().write(p) }
func (w *http2Writer) WriteString(s string) (int, error) { return w.of().writeString(s) }
func (w *http2Writer) Flush()                            { w.of().flush() }
func (w *http2Writer) FlushError() error                 { return w.of().flushError() }
func (w *http2Writer) CloseNotify() <-chan bool {
	return w.inner.(http.CloseNotifier).CloseNotify()
}
func (w *http2Writer) Push(target string, opts *http.PushOptions) error {
	return w.inner.(http.Pusher).Push(target, opts)
}
func (w *http2Writer) SetReadDeadline(t time.Time) error {
	return w.inner.(deadliner).SetReadDeadline(t)
}
func (w *http2Writer) SetWriteDeadline(t time.Time) error {
	return w.inner.(deadliner).SetWriteDeadline(t)
}
func (w *http2Writer) EnableFullDuplex() error { return w.inner.(fullDuplexer).EnableFullDuplex() }
