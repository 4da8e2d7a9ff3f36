package httpmw

import (
	"bufio"
	"net"
	"net/http"
	"reflect"
	"strings"
)

// An unwrapper is a writer that [http.ResponseController] looks behind for an interface it does not have itself.
type unwrapper interface{ Unwrap() http.ResponseWriter }

// maxWrappers bounds the writers that reaches looks behind.
const maxWrappers = 100

// unwrap returns the inner writer or, if an [http.ResponseController] that does not find [http.Hijacker] or
// [http.Flusher] there would go on and find it further out, a writer in front of the inner one which records that. It
// is called by the controller; the handler's own writer has the interfaces of the inner one, and no more.
func (o *response) unwrap() http.ResponseWriter {
	if _, ok := o.inner.(unwrapper); !ok {
		return o.inner
	}
	hijacks, flushes := reaches(o.inner, isHijacker), reaches(o.inner, isFlusher)
	pass := passWriter{o}
	switch {
	case hijacks && flushes:
		return struct {
			passWriter
			outerHijacker
			outerFlusher
		}{pass, outerHijacker{o}, outerFlusher{o}}
	case hijacks:
		return struct {
			passWriter
			outerHijacker
		}{pass, outerHijacker{o}}
	case flushes:
		return struct {
			passWriter
			outerFlusher
		}{pass, outerFlusher{o}}
	}
	return o.inner
}

// reaches reports whether a writer behind w has an interface that w itself has not.
func reaches(w http.ResponseWriter, has func(http.ResponseWriter) bool) bool {
	if has(w) {
		return false
	}
	for range maxWrappers {
		u, ok := w.(unwrapper)
		if !ok {
			return false
		}
		if w = u.Unwrap(); has(w) {
			return true
		}
	}
	return false
}

func isHijacker(w http.ResponseWriter) bool { _, ok := w.(http.Hijacker); return ok }

func isFlusher(w http.ResponseWriter) bool {
	_, flushes := w.(http.Flusher)
	_, reports := w.(flushErrorer)
	return flushes || reports
}

// passWriter stands between the handler's writer and the inner one.
type passWriter struct{ o *response }

func (w passWriter) Unwrap() http.ResponseWriter { return w.o.inner }
func (w passWriter) Header() http.Header         { return w.o.inner.Header() }
func (w passWriter) WriteHeader(code int)        { w.o.writeHeader(code) }
func (w passWriter) Write(p []byte) (int, error) { return w.o.write(p) }

// outerHijacker records a hijack by a writer further out.
type outerHijacker struct{ o *response }

func (h outerHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.o.recordHijack(http.NewResponseController(h.o.inner).Hijack())
}

// outerFlusher records a flush by a writer further out.
type outerFlusher struct{ o *response }

func (f outerFlusher) FlushError() error {
	f.o.beforeHeader()
	return f.o.recordFlushError(http.NewResponseController(f.o.inner).Flush())
}

// isExtendedConnect reports whether the handler needs the server's own writer: WebTransport and its like speak with it
// through interfaces that no wrapper knows. net/http's own writers have none.
func isExtendedConnect(r *http.Request, w http.ResponseWriter) bool {
	if r.Method != http.MethodConnect || strings.HasPrefix(r.Proto, "HTTP/") && len(r.Header[":protocol"]) == 0 {
		return false
	}
	t := reflect.TypeOf(w)
	return t.Kind() != reflect.Pointer || !strings.HasPrefix(t.Elem().PkgPath(), "net/http")
}
