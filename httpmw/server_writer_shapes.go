package httpmw

//lint:file-ignore SA1019 handlers may still use http.CloseNotifier

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/felixge/httpsnoop"
)

// The writers that handlers see, each with the optional interfaces of one shape of inner writer. They all are one
// pointer, so that choosing one allocates nothing.
type (
	baseWriter       struct{ *response }
	flushWriter      struct{ baseWriter }
	recorderWriter   struct{ flushWriter }    // for httptest.ResponseRecorder
	serverWriter     struct{ recorderWriter } // what both of net/http's writers have
	http1Writer      struct{ serverWriter }
	http2Writer      struct{ serverWriter }
	chi1Writer       struct{ flushWriter } // for chi's middleware.WrapResponseWriter, as its Logger uses it, on HTTP/1.1
	chi2Writer       struct{ flushWriter } // the same on HTTP/2
	compressedWriter struct{ flushWriter } // for chi's middleware.Compress
)

// shape is a set of optional interfaces.
type shape uint16

const (
	flushes shape = 1 << iota
	flushesWithError
	notifies
	hijacks
	pushes
	readsFrom
	writesStrings
	setsReadDeadline
	setsWriteDeadline
	duplexes

	serverShape = flushes | flushesWithError | notifies | writesStrings | setsReadDeadline | setsWriteDeadline | duplexes
)

type (
	flushErrorer   interface{ FlushError() error }
	readDeadliner  interface{ SetReadDeadline(time.Time) error }
	writeDeadliner interface{ SetWriteDeadline(time.Time) error }
	fullDuplexer   interface{ EnableFullDuplex() error }
)

// shapeOf is written out, since an assertion to a type parameter costs ten times as much.
func shapeOf(w http.ResponseWriter) (s shape) {
	if _, ok := w.(http.Flusher); ok {
		s |= flushes
	}
	if _, ok := w.(flushErrorer); ok {
		s |= flushesWithError
	}
	if _, ok := w.(http.CloseNotifier); ok {
		s |= notifies
	}
	if _, ok := w.(http.Hijacker); ok {
		s |= hijacks
	}
	if _, ok := w.(http.Pusher); ok {
		s |= pushes
	}
	if _, ok := w.(io.ReaderFrom); ok {
		s |= readsFrom
	}
	if _, ok := w.(io.StringWriter); ok {
		s |= writesStrings
	}
	if _, ok := w.(readDeadliner); ok {
		s |= setsReadDeadline
	}
	if _, ok := w.(writeDeadliner); ok {
		s |= setsWriteDeadline
	}
	if _, ok := w.(fullDuplexer); ok {
		s |= duplexes
	}
	return s
}

// wrap returns a writer that records what goes through it to inner and has inner's optional interfaces, no more and no
// fewer.
func (o *response) wrap(inner http.ResponseWriter) http.ResponseWriter {
	o.inner = inner
	base := baseWriter{o}
	flush := flushWriter{base}
	switch shapeOf(inner) {
	case serverShape | hijacks | readsFrom:
		return http1Writer{serverWriter{recorderWriter{flush}}}
	case serverShape | pushes:
		return http2Writer{serverWriter{recorderWriter{flush}}}
	case flushes | writesStrings:
		return recorderWriter{flush}
	case flushes | hijacks | readsFrom:
		return chi1Writer{flush}
	case flushes | pushes:
		return chi2Writer{flush}
	case flushes | hijacks | pushes:
		return compressedWriter{flush}
	case flushes:
		return flush
	case 0:
		return base
	}
	if w := o.wrapPartial(inner); w != nil {
		return w
	}
	return o.wrapGeneric(inner)
}

// wrapGeneric wraps writers of any other shape. What [http.ResponseController] reaches past such a writer is not seen.
func (o *response) wrapGeneric(w http.ResponseWriter) http.ResponseWriter {
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

func (w baseWriter) Unwrap() http.ResponseWriter { return w.unwrap() }
func (w baseWriter) Header() http.Header         { return w.inner.Header() }
func (w baseWriter) WriteHeader(code int)        { w.writeHeader(code) }
func (w baseWriter) Write(p []byte) (int, error) { return w.write(p) }

func (w flushWriter) Flush() { w.flush() }

func (w recorderWriter) WriteString(s string) (int, error) { return w.writeString(s) }

func (w serverWriter) FlushError() error        { return w.flushError() }
func (w serverWriter) CloseNotify() <-chan bool { return w.inner.(http.CloseNotifier).CloseNotify() }
func (w serverWriter) SetReadDeadline(t time.Time) error {
	return w.inner.(readDeadliner).SetReadDeadline(t)
}
func (w serverWriter) SetWriteDeadline(t time.Time) error {
	return w.inner.(writeDeadliner).SetWriteDeadline(t)
}
func (w serverWriter) EnableFullDuplex() error { return w.inner.(fullDuplexer).EnableFullDuplex() }

func (w http1Writer) ReadFrom(r io.Reader) (int64, error)          { return w.readFrom(r) }
func (w http1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

func (w http2Writer) Push(target string, opts *http.PushOptions) error { return w.push(target, opts) }

func (w chi1Writer) ReadFrom(r io.Reader) (int64, error)          { return w.readFrom(r) }
func (w chi1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

func (w chi2Writer) Push(target string, opts *http.PushOptions) error { return w.push(target, opts) }

func (w compressedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }
func (w compressedWriter) Push(target string, opts *http.PushOptions) error {
	return w.push(target, opts)
}
