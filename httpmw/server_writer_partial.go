package httpmw

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Parts of writers that middlewares make of a few methods and Unwrap. [http.ResponseController] looks behind those for
// what they lack, which [response.unwrap] sees.
type (
	stringPart struct{ o *response }
	readPart   struct{ o *response }
	hijackPart struct{ o *response }
	errorPart  struct{ o *response }
)

func (p stringPart) WriteString(s string) (int, error)            { return p.o.writeString(s) }
func (p readPart) ReadFrom(r io.Reader) (int64, error)            { return p.o.readFrom(r) }
func (p hijackPart) Hijack() (net.Conn, *bufio.ReadWriter, error) { return p.o.hijack() }
func (p errorPart) FlushError() error                             { return p.o.flushError() }

// wrapPartial wraps writers that have some of the usual interfaces and Unwrap. It returns nil for others.
func (o *response) wrapPartial(inner http.ResponseWriter) http.ResponseWriter {
	if _, ok := inner.(unwrapper); !ok {
		return nil
	}
	shape := shapeOf(inner)
	if shape&flushes != 0 {
		return o.wrapFlusher(shape)
	}
	return o.wrapNoFlusher(shape)
}

func (o *response) wrapNoFlusher(s shape) http.ResponseWriter {
	base := baseWriter{o}
	switch s {
	case writesStrings:
		return struct {
			baseWriter
			stringPart
		}{base, stringPart{o}}
	case readsFrom:
		return struct {
			baseWriter
			readPart
		}{base, readPart{o}}
	case writesStrings | readsFrom:
		return struct {
			baseWriter
			stringPart
			readPart
		}{base, stringPart{o}, readPart{o}}
	case hijacks:
		return struct {
			baseWriter
			hijackPart
		}{base, hijackPart{o}}
	case hijacks | writesStrings:
		return struct {
			baseWriter
			hijackPart
			stringPart
		}{base, hijackPart{o}, stringPart{o}}
	case flushesWithError:
		return struct {
			baseWriter
			errorPart
		}{base, errorPart{o}}
	}
	return nil
}

func (o *response) wrapFlusher(s shape) http.ResponseWriter {
	flush := flushWriter{baseWriter{o}}
	text := recorderWriter{flush}
	switch s {
	case flushes | readsFrom:
		return struct {
			flushWriter
			readPart
		}{flush, readPart{o}}
	case flushes | writesStrings | readsFrom:
		return struct {
			recorderWriter
			readPart
		}{text, readPart{o}}
	case flushes | flushesWithError:
		return struct {
			flushWriter
			errorPart
		}{flush, errorPart{o}}
	case flushes | flushesWithError | writesStrings:
		return struct {
			recorderWriter
			errorPart
		}{text, errorPart{o}}
	}
	return nil
}
