package httpmw

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Middleware returns a middleware that makes one server span of each request. It goes on a chi router with Use, With
// or Group, or around any http.Handler. A nil tracer is opentracing.GlobalTracer, asked anew for each request. Nil
// funcs among the options are ignored, later options win. A second middleware on the same request steps aside. The
// middleware is safe for concurrent use, as often as one likes.
func Middleware(tracer opentracing.Tracer, opts ...ServerOption) func(http.Handler) http.Handler {
	c := &config{values: newValueCache()}
	for _, o := range opts {
		if o != nil {
			o.server(c)
		}
	}
	c.done(ext.SpanKindRPCServerEnum)
	return func(next http.Handler) http.Handler {
		return &handler{config: c, tracer: tracer, next: next, router: routerOf(next, c)}
	}
}

type handler struct {
	*config
	tracer opentracing.Tracer
	next   http.Handler
	router *router
}

// serverTags is how many tags a request's span usually gets after its start.
const serverTags = 9

// request is one request's state. It also is the context its handler sees, and the writer.
type request struct {
	*handler
	span      rpcspan.Span
	out       http1Writer
	original  *http.Request
	parent    context.Context // what the handler's context is made from
	name      string          // the span was started with
	route     string
	pattern   string // of a mux that the middleware is in
	described bool
	insideChi bool
	routes    chi.Routes // that chi may use the route context of
	chi       atomic.Pointer[chi.Context]
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tracer, on := rpcspan.Tracer(h.tracer)
	if !on || traced(r) {
		h.next.ServeHTTP(w, r)
		return
	}
	s := &request{handler: h, original: r, pattern: r.Pattern, parent: r.Context()}
	s.out.ctx = s.parent
	remote := rpcspan.Remote(tracer, opentracing.HTTPHeadersCarrier(r.Header))
	public := callPredicate(&s.span, h.public, r, false, true)
	kind := h.startTags
	if callPredicate(&s.span, h.silent, r, false, false) {
		kind = h.unsampledTags
	} else if !callPredicate(&s.span, h.filter, r, true, true) {
		if public {
			remote = rpcspan.Parent{}
		}
		h.pass(w, r, rpcspan.ContextWithParent(s.parent, tracer, &remote))
		return
	}
	s.begin(tracer, r, kind, &remote, public)
	if h.traceIDHeader != "" && !public {
		s.tellTrace(w.Header())
	}
	s.serve(w)
}

// pass serves a request that is not traced.
func (h *handler) pass(w http.ResponseWriter, r *http.Request, ctx context.Context) {
	if ctx == r.Context() {
		h.next.ServeHTTP(w, r)
		return
	}
	inner := share(r).WithContext(ctx)
	defer handBack(r, inner, true)
	h.next.ServeHTTP(w, inner)
}

// begin starts the span.
func (s *request) begin(tracer opentracing.Tracer, r *http.Request, kind *rpcspan.StartTags, remote *rpcspan.Parent, public bool) {
	s.route, _ = s.router.early(s, r)
	s.name = s.nameOf(r, s.route)
	var active rpcspan.Parent
	parent := remote
	if public || !remote.IsValid() {
		parent = &active
	}
	if !public && !remote.IsValid() {
		active = rpcspan.Active(s.parent)
	}
	s.described = s.span.Start(tracer, &rpcspan.StartInfo{Name: s.name, StartTags: kind, Tags: s.config.tags, SpareTags: serverTags}, parent)
	s.parent = s.span.TracerContext(s.parent)
	if public {
		s.span.Link(remote)
	}
	if s.described {
		l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
		tagWriter{s.config, &s.span, &l}.serverRequest(r)
		l.Flush()
	}
	s.out.timed = s.described || len(s.hooks) > 0
}

func (s *request) nameOf(r *http.Request, route string) string {
	if s.config.name != nil {
		if name := s.nameByHook(r, route); name != "" {
			return name
		}
	}
	return s.values.name(nameMethod(r.Method), route)
}

func (s *request) nameByHook(r *http.Request, route string) (name string) {
	defer s.span.RecoverHook()
	return s.config.name(r, route)
}

// describe adds the request's tags if the span did not want them when it started.
func (s *request) describe(t tagWriter) {
	if !s.described {
		s.described = true
		s.span.SetTag(string(ext.SpanKind), ext.SpanKindRPCServerEnum) // jaeger-client-go has dropped it at the start
		s.span.SetTags(s.config.tags...)
		t.serverRequest(s.original)
	}
}

// serve runs the handler and ends the span on every way out. A panic goes on with the same value from within the
// recovering function, so that its stack still shows where it came from.
func (s *request) serve(w http.ResponseWriter) {
	if s.insideChi && strings.Contains(s.route, "{") {
		s.original.SetPathValue("", "") // the map that chi would make is made here, so that both requests share it
	}
	inner := share(s.original).WithContext((*requestContext)(s))
	done := false
	defer func() {
		var value any
		if !done {
			value = recover()
		}
		defer handBack(s.original, inner, s.insideChi || s.chi.Load() == nil)
		s.end(inner, done, value)
		if value != nil {
			panic(value)
		}
	}()
	s.next.ServeHTTP(s.out.around(w), inner)
	done = true
}

func (s *request) end(r *http.Request, done bool, value any) {
	if !s.span.TryFinish() {
		return
	}
	if route := s.late(r); route != s.route {
		name := s.nameOf(r, route)
		s.span.Rename(s.name, name)
		s.name, s.route = name, route
	}
	v := s.outcome(done, value)
	l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
	t := tagWriter{s.config, &s.span, &l}
	isError := t.decide(&v, r, false)
	if s.span.Recording() {
		s.describe(t)
		s.responseTags(t, v.Outcome)
		t.recordResult(&v, isError)
	}
	s.span.Finish(time.Time{}, nil, &l)
}

// responseTags sets the tags of the response.
func (s *request) responseTags(t tagWriter, o Outcome) {
	if o.Route != "" {
		t.add(semconv.HTTPRoute, t.values.text(o.Route))
	}
	t.status(o.Status)
	size := o.BytesOut
	if o.Hijacked || s.original.Method == http.MethodHead {
		size = -1
	}
	t.sizes(o.BytesIn, size)
	if o.Hijacked {
		t.add(semconv.HTTPHijacked, true)
	}
	if o.Aborted {
		t.add(semconv.HTTPAborted, true)
	}
	if s.out.flushed && !s.out.first.IsZero() {
		t.add(semconv.HTTPStreaming, true)
		t.firstByte(o.FirstByte)
	}
	if s.out.err != nil {
		t.add(semconv.HTTPWriteError, t.message(s.out.err))
	}
	if !o.Hijacked {
		t.headers(t.respTags, s.out.inner.Header(), "")
	}
}
