package export

import (
	"bytes"
	"compress/gzip"
	"net/http"
)

// Gzip says whether bodies are compressed.
type Gzip uint8

// The ways to compress.
const (
	GzipNever  Gzip = iota
	GzipAlways      // because an option says so
	GzipAuto        // until the backend refuses it
)

// zipper compresses bodies, and knows how the backend takes it.
type zipper struct {
	mode   Gzip
	on     bool // compress bodies
	taken  bool // the backend took a compressed body
	broken int  // connections that broke on a compressed body since the backend took one of any kind
	plain  bool // the backend took a body as it is after that

	writer *gzip.Writer
	buf    bytes.Buffer
}

// maxBroken is how many connections may break on a compressed body before one is sent as it is.
const maxBroken = 2

// next reports whether the next body is to be compressed.
func (z *zipper) next() bool { return z.on && z.broken < maxBroken }

// retryPlain reports whether the status that a compressed body met may be due to a compression that is on by default:
// a receiver that does not know of it reads the body as a message that makes no sense.
func (z *zipper) retryPlain(code int) bool {
	if z.mode != GzipAuto || !z.on {
		return false
	}
	switch code {
	case http.StatusUnsupportedMediaType:
		return true
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusNotImplemented:
		return !z.taken
	}
	return false
}

// note notes what became of a body. A connection also breaks for other reasons than compression that is on by default,
// so compression ends only when bodies as they are were taken between two breaks.
func (z *zipper) note(zipped bool, a answer) {
	switch {
	case zipped && a.err == nil:
		z.taken, z.broken = true, 0
	case zipped && a.broken && z.mode == GzipAuto && !z.taken:
		z.broken++
		z.on = !z.plain
	case !zipped && z.broken > 0:
		z.plain, z.broken = a.err == nil, 0
	}
}

// compress fills the zipper's own buffer; writing to that cannot fail.
func (z *zipper) compress(data []byte) []byte {
	if z.writer == nil {
		z.writer, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed)
	}
	z.buf.Reset()
	z.writer.Reset(&z.buf)
	z.writer.Write(data)
	z.writer.Close()
	return z.buf.Bytes()
}
