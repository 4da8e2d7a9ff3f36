package httpmw

import (
	"net/http"
	"runtime"
)

// A middleware of the user may answer in time while the handler still runs in another goroutine. If it has given that
// handler its own request, both may write to it, and to chi's context. No program can find out whether a goroutine
// still runs. So the answers of such middlewares are recognised by their statuses, and after those the middleware only
// reads what it is sure that nobody writes to: see [router.after] and [serverState.copyBack].

// late reports whether the handler probably still runs: hardly any handler answers 408 itself. Nothing of its request
// is read then, whatever routes it.
func (s *serverState) late() bool { return s.out.status == http.StatusRequestTimeout }

// isTimeout reports whether a status is one with which a middleware answers while the handler still runs.
func isTimeout(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// mayBeRouting reports whether a router may still be writing to the request.
func (s *serverState) mayBeRouting() bool { return isTimeout(s.out.status) && !s.out.routed }

// maxFrames bounds the stack in which a router is looked for.
const maxFrames = 128

var serveFrame = ownPackage + "(*serverState).serve"

// routedHere reports whether a router has routed the request in the goroutine of the middleware: it is among the
// callers, between the middleware and the handler that sends the status.
func routedHere() (routed bool) {
	var stack [maxFrames]uintptr
	for _, pc := range stack[:runtime.Callers(2, stack[:])] {
		switch runtime.FuncForPC(pc - 1).Name() { // none of these is inlined, and this is cheaper than frames
		case "net/http.(*ServeMux).ServeHTTP", "github.com/go-chi/chi/v5.(*Mux).routeHTTP":
			routed = true
		case serveFrame:
			return routed
		}
	}
	return false // another goroutine, or a stack that is too deep
}
