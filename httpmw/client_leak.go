package httpmw

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
)

// leakDetector is the body of a response that reports when it is dropped.
type leakDetector struct {
	bodyReader
	cleanup      runtime.Cleanup
	inner, outer *http.Response
}

// detectLeak returns a copy of resp whose body is reported if it is dropped. It has to be a copy, because connections
// keep references to their responses. It is called in the goroutine that sends the request.
func (s *clientState) detectLeak(resp *http.Response) *http.Response {
	l := leak{s: s}
	runtime.Callers(2, l.stack[:])
	outer := *resp
	d := &leakDetector{bodyReader: bodyReader{s}, inner: resp, outer: &outer}
	d.cleanup = runtime.AddCleanup(d, leak.onUnreachable, l)
	outer.Body = keepInterfaces(d, resp.Body)
	return &outer
}

// stop is called when the body needs no closing any more.
func (d *leakDetector) stop() {
	d.cleanup.Stop()
	runtime.KeepAlive(d)
}

// atEnd is called when there is no more to read, which is when trailers come, even those of a body that is too short.
// Transports may put them into another map then, such as that of HTTP/3, and that of net/http for those that were not
// announced.
func (d *leakDetector) atEnd() {
	d.stop()
	if d.inner.Trailer != nil {
		d.outer.Trailer = d.inner.Trailer
	}
}

func (d *leakDetector) Read(p []byte) (int, error) {
	n, err := d.bodyReader.Read(p)
	if err != nil {
		d.atEnd()
	}
	return n, err
}

func (d *leakDetector) Close() error {
	d.stop()
	return d.bodyReader.Close()
}

func (d *leakDetector) writeTo(w io.Writer) (int64, error) {
	n, err := d.bodyReader.writeTo(w)
	if err == nil {
		d.atEnd()
	}
	return n, err
}

// leak is a round trip whose body was dropped, and the stack that sent the request.
type leak struct {
	s     *clientState
	stack [32]uintptr
}

// onUnreachable returns at once, because the goroutine that runs it has other cleanups to run.
func (l leak) onUnreachable() { go l.report() }

func (l leak) report() {
	e := &clientEnd{dropped: true}
	defer l.s.endBody(e)
	if l.s.collect(e); e.incomplete() {
		defer l.s.span.RecoverHook()
		l.s.unclosed(l.s.original, l.caller())
	}
}

var ownPackage = reflect.TypeFor[clientState]().PkgPath() + "."

// caller returns the function that used the [http.Client] or, without one, that called the Transport. Transports in
// between are skipped. The stack of a goroutine may begin in net/http itself.
func (l leak) caller() string {
	var first, outermost runtime.Frame
	frames := runtime.CallersFrames(l.stack[:])
	for client, more := false, true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "" || strings.HasPrefix(f.Function, "runtime."):
			continue
		case strings.HasPrefix(f.Function, "net/http.(*Client)."):
			client = true
		case strings.HasPrefix(f.Function, "net/http."), strings.HasPrefix(f.Function, ownPackage):
		case client:
			return position(f)
		case first.PC == 0:
			first = f
		}
		outermost = f
	}
	if first.PC == 0 {
		first = outermost
	}
	return position(first)
}

func position(f runtime.Frame) string { return fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line) }
