package httpmw

import (
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// The functions in this file are called by code that is woven into net/http: see orchestrion.yml. They trace the
// requests of every [http.Server], outside of its Handler. The server itself is not changed.
//
// A [Middleware] that the program installs by hand counts for more, because it has options. Where it is the Handler, or
// the Handler is a chi router that uses it, the server is left alone. Where it is further in, that is seen when the
// first request reaches it: the span of that request is discarded, unseen, the Middleware traces the request as if
// there were no woven code, and from then on the server is left alone.

// wovenServers has what is known of each [http.Server], by its address, while it serves.
var wovenServers sync.Map

// wovenConfig returns the configuration of all woven servers: the default.
var wovenConfig = sync.OnceValue(func() *config {
	return (&config{values: newValueCache()}).done(ext.SpanKindRPCServerEnum)
})

// wovenServer is what is known of an [http.Server].
type wovenServer struct {
	byHand atomic.Bool // a Middleware has been found in it
	last   atomic.Pointer[wovenHandler]
}

// wovenHandler serves the requests of a server as long as its Handler is the same router.
type wovenHandler struct {
	handler
	of     any  // the router, or nil for any other Handler
	byHand bool // the Handler is a Middleware, or uses one
}

// wovenServing is called when srv begins to serve. The program calls done when it has ended.
func wovenServing(srv *http.Server) (done func()) {
	s := new(wovenServer)
	if _, known := wovenServers.LoadOrStore(srv, s); known { // it serves on several listeners
		return func() {}
	}
	return func() { wovenServers.CompareAndDelete(srv, s) }
}

// wovenServe serves a request of srv, with a span, by calling dispatch. served is false if the caller is to go on as
// if there were no woven code, which is the case for the call of dispatch itself, too.
func wovenServe(srv *http.Server, dispatch http.Handler, w http.ResponseWriter, r *http.Request) (served bool) {
	if _, ok := rpcspan.Tracer(nil); !ok || r.Method == http.MethodOptions && r.RequestURI == "*" {
		return false
	}
	s, ok := serverOf(srv)
	if ok && s.byHand.Load() {
		return false
	}
	if outer := outerState(r); outer != nil && outer.woven != nil {
		return false
	}
	h := s.handlerFor(srv.Handler, dispatch)
	if h.byHand {
		return false
	}
	h.ServeHTTP(w, r)
	return true
}

// serverOf returns what is known of a server. One that has stopped accepting connections may still serve requests.
func serverOf(srv *http.Server) (s *wovenServer, known bool) {
	if s, ok := wovenServers.Load(srv); ok {
		return s.(*wovenServer), true
	}
	return new(wovenServer), false
}

// handlerFor returns the handler for a server with this Handler, which may be replaced while it serves.
func (s *wovenServer) handlerFor(user, dispatch http.Handler) *wovenHandler {
	if user == nil {
		user = http.DefaultServeMux
	}
	var of any
	switch user.(type) {
	case *chi.Mux, *http.ServeMux, *handler:
		of = user
	}
	if h := s.last.Load(); h != nil && h.of == of {
		return h
	}
	h := &wovenHandler{of: of, byHand: usesMiddleware(user)}
	h.config, h.woven, h.next = wovenConfig(), s, dispatch
	h.router = newRouter(user, h.config)
	s.last.Store(h)
	return h
}

// middlewareCode returns the entry point of the functions that [Middleware] returns.
var middlewareCode = sync.OnceValue(func() uintptr { return reflect.ValueOf(Middleware(nil)).Pointer() })

// usesMiddleware reports whether a handler is that of a [Middleware], or a chi router which uses one for all routes.
func usesMiddleware(h http.Handler) bool {
	switch h := h.(type) {
	case *handler:
		return true
	case *chi.Mux:
		for _, m := range h.Middlewares() {
			if reflect.ValueOf(m).Pointer() == middlewareCode() {
				return true
			}
		}
	}
	return false
}

// takeOver is called by a [Middleware] that r has reached. If woven code traces the request so far, it ends that, for
// this request and for those that the server gets in future.
func takeOver(r *http.Request) {
	if r == nil {
		return
	}
	if outer := outerState(r); outer != nil && outer.woven != nil {
		outer.woven.byHand.Store(true)
		outer.span.Discard()
	}
}
