package httpmw

import (
	"io"
	"net"
	"net/http"
	"os"

	"github.com/felixge/httpsnoop"
)

// bodySink watches what a body's own WriteTo writes: the bytes are counted as they come, and an error of the caller's
// writer is distinguished from one of reading the body.
type bodySink struct {
	s      *clientState
	failed bool // the caller's writer has failed, or may have
}

func (k *bodySink) wrote(n int, err error) {
	k.s.body.add(k.s, n)
	k.failed = k.failed || err != nil
}

// wrap returns w with the optional interfaces that a WriteTo is likely to use. Those of an [http.ResponseWriter] are
// all kept, since bodies that stream flush it.
func (k *bodySink) wrap(w io.Writer) io.Writer {
	if rw, ok := w.(http.ResponseWriter); ok {
		return k.wrapResponse(rw)
	}
	plain := sinkWriter{k, w}
	if _, ok := w.(io.ReaderFrom); ok {
		return sinkReaderFrom{plain}
	}
	return plain
}

func (k *bodySink) wrapResponse(w http.ResponseWriter) io.Writer {
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(p []byte) (int, error) {
				n, err := next(p)
				k.wrote(n, err)
				return n, err
			}
		},
		ReadFrom: func(next httpsnoop.ReadFromFunc) httpsnoop.ReadFromFunc {
			return func(src io.Reader) (int64, error) { return k.readFrom(next, src) }
		},
	})
}

// readFrom calls the ReadFrom of a writer. An error may be that of either side, so that the caller's Close ends the
// round trip, unless src is a sinkSource.
func (k *bodySink) readFrom(next func(io.Reader) (int64, error), src io.Reader) (int64, error) {
	n, err := next(src)
	k.s.body.bytes.Add(n)
	if watched, ok := src.(*sinkSource); ok && watched.err != nil && watched.err != io.EOF {
		return n, err
	}
	k.wrote(0, err)
	return n, err
}

// sinkSource records the error of what a ReadFrom reads.
type sinkSource struct {
	io.Reader
	err error
}

func (r *sinkSource) Read(p []byte) (n int, err error) {
	n, r.err = r.Reader.Read(p)
	return n, r.err
}

type sinkWriter struct {
	*bodySink
	io.Writer
}

func (w sinkWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.wrote(n, err)
	return n, err
}

func (w sinkWriter) WriteString(s string) (int, error) {
	n, err := io.WriteString(w.Writer, s)
	w.wrote(n, err)
	return n, err
}

type sinkReaderFrom struct{ sinkWriter }

func (w sinkReaderFrom) ReadFrom(src io.Reader) (int64, error) {
	switch w.Writer.(type) {
	case *os.File, net.Conn: // which look for files and connections in src, to copy inside the kernel
	default:
		src = &sinkSource{Reader: src}
	}
	return w.readFrom(w.Writer.(io.ReaderFrom).ReadFrom, src)
}
