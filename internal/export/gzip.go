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
	mode  Gzip
	on    bool // compress the next body
	taken bool // the backend took a compressed body

	writer *gzip.Writer
	buf    bytes.Buffer
}

// retryPlain reports whether the status that a compressed body met may be due to a compression that is on by default.
func (z *zipper) retryPlain(code int) bool {
	return z.mode == GzipAuto && z.on &&
		(code == http.StatusUnsupportedMediaType || code == http.StatusBadRequest && !z.taken)
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
