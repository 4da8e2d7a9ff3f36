package httpmw

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
)

// droppable is the body of a response that tells when it is dropped.
type droppable struct {
	*bodyReader
	cleanup      runtime.Cleanup
	inner, outer *http.Response
}

// droppable returns a copy of resp whose body is reported if it is dropped. It must be a copy, since connections hold
// on to their responses. Call it where the request is sent.
func (c *call) droppable(resp *http.Response) *http.Response {
	lost := unclosed{call: c}
	runtime.Callers(2, lost.stack[:])
	outer := *resp
	d := &droppable{bodyReader: (*bodyReader)(c), inner: resp, outer: &outer}
	d.cleanup = runtime.AddCleanup(d, unclosed.found, lost)
	outer.Body = wrap(d, resp.Body)
	return &outer
}

// done is told that the body needs no closing any more.
func (d *droppable) done() {
	d.cleanup.Stop()
	runtime.KeepAlive(d)
}

// read is told that all was read. Trailers that were not announced come then.
func (d *droppable) read() {
	d.done()
	if d.outer.Trailer == nil && d.inner.Trailer != nil {
		d.outer.Trailer = d.inner.Trailer
	}
}

func (d *droppable) Read(p []byte) (int, error) {
	n, err := d.bodyReader.Read(p)
	if err == io.EOF {
		d.read()
	} else if err != nil {
		d.done()
	}
	return n, err
}

func (d *droppable) Close() error {
	d.done()
	return d.bodyReader.Close()
}

func (d *droppable) writeTo(w io.Writer) (int64, error) {
	n, err := d.bodyReader.writeTo(w)
	if err == nil {
		d.read()
	}
	return n, err
}

// unclosed is a call whose body was dropped, and the stack that sent the request.
type unclosed struct {
	call  *call
	stack [32]uintptr
}

// found leaves the goroutine that cleans up to others.
func (u unclosed) found() { go u.report() }

func (u unclosed) report() {
	c := u.call
	e := c.abandoned(nil)
	defer c.ended(e)
	if e.incomplete {
		defer c.span.RecoverHook()
		c.unclosed(c.original, u.caller())
	}
}

var ownPackage = reflect.TypeFor[call]().PkgPath() + "."

// caller returns who used the http.Client or, without one, who called the Transport. Transports in between tell
// nothing. A goroutine may begin in net/http itself.
func (u unclosed) caller() string {
	var first, outermost runtime.Frame
	frames := runtime.CallersFrames(u.stack[:])
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
			return place(f)
		case first.PC == 0:
			first = f
		}
		outermost = f
	}
	if first.PC == 0 {
		first = outermost
	}
	return place(first)
}

func place(f runtime.Frame) string { return fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line) }
