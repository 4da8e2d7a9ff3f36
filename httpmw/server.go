package httpmw

import (
	"net/http"
	"reflect"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/proflabel"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/woven"
)

// Middleware returns a middleware that makes one server span of each request. It goes on a chi router with Use, With or
// Group, or around any [http.Handler]. If tracer is nil, [opentracing.GlobalTracer] is looked up on every request. Nil
// functions among the options are ignored. Tags, header tags, baggage tags, outcome hooks and observers add up; of all
// other options the last one wins. If a Middleware further out already traces the request, this one makes no span, but
// its hooks and observers are called. The middleware may be used concurrently and applied to any number of handlers.
func Middleware(tracer opentracing.Tracer, opts ...ServerOption) func(http.Handler) http.Handler {
	c := &config{values: newValueCache()}
	for _, o := range opts {
		if o != nil {
			o.server(c)
		}
	}
	c.done(ext.SpanKindRPCServerEnum)
	middleware := func(next http.Handler) http.Handler {
		return &handler{config: c, tracer: tracer, next: next, router: newRouter(next, c)}
	}
	c.code = reflect.ValueOf(middleware).Pointer()
	return middleware
}

type handler struct {
	*config
	tracer opentracing.Tracer
	next   http.Handler
	router *router
	woven  *wovenServer // that woven code traces by this handler; nil for a Middleware

	headers rpcspan.HeaderReader
}

// serverTags is how many tags the span of a request usually gets after its start.
const serverTags = 9

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if woven.Active() && h.woven == nil {
		takeOver(r)
	}
	tracer, ok := rpcspan.Tracer(h.tracer)
	if r == nil || !ok && !h.observed {
		h.next.ServeHTTP(w, r)
		return
	}
	outer := outerState(r)
	if outer != nil && outer.span.Started() {
		seen := withMethod(r, outer.original.Method)
		if !outer.ended.Load() && addHooks(&outer.joined, &outer.span, seen, h.config, outer.allHooks(), outer.config) {
			if len(h.hooks) > 0 {
				outer.out.timed.Store(true)
			}
			h.lendRoute(outer, r)
			h.next.ServeHTTP(w, r)
			return
		}
		outer = nil // it has just ended
	}
	s := &serverState{handler: h, original: r, parent: r.Context(), hooks: &h.hooks, outer: outer}
	if outer != nil {
		hooks := h.hooks.Without(outer.allHooks())
		s.hooks = &hooks
	}
	s.out.s = s
	if ok {
		s.start(tracer)
	}
	if !s.span.Started() && !s.hooks.HasObserver() && s.parent == r.Context() && h.woven == nil {
		h.next.ServeHTTP(w, r)
		return
	}
	s.serve(w)
}

// start starts the span, unless the filter is against it. A panic of the tracer is recovered: the request is served
// nonetheless, with the span if there is one by then. If a hook ends its goroutine, the span ends, too.
func (s *serverState) start(tracer opentracing.Tracer) {
	returned := false
	defer func() {
		if !returned && s.span.Started() {
			s.hooks = new(hookList) // none has seen the request begin
			s.end(false, nil)
		}
	}()
	s.decide(tracer)
	returned = true
}

// decide starts the span if the user's predicates are for it.
func (s *serverState) decide(tracer opentracing.Tracer) {
	defer s.span.RecoverHook()
	r := s.original
	remote := s.headers.Remote(tracer, r.Header)
	public := callPredicate(&s.span, s.public, r, false, true)
	startTags := s.startTags
	if callPredicate(&s.span, s.silent, r, false, false) {
		startTags = s.unsampledTags
	} else if !callPredicate(&s.span, s.filter, r, true, true) {
		if public {
			s.parent = rpcspan.ContextWithStranger(s.parent, tracer, &remote)
		} else if active := rpcspan.ActiveBelow(s.parent, &remote); !active.IsValid() {
			s.parent = rpcspan.ContextWithParent(s.parent, tracer, &remote)
		}
		return
	}
	s.startSpan(tracer, startTags, &remote, public)
}

func (s *serverState) startSpan(
	tracer opentracing.Tracer, startTags *rpcspan.StartTags, remote *rpcspan.Parent, public bool,
) {
	s.findRoute()
	var active rpcspan.Parent
	if !public {
		active = rpcspan.ActiveBelow(s.parent, remote)
	}
	parent := remote
	if public || active.IsValid() {
		parent = &active
	}
	info := rpcspan.StartInfo{Name: s.name, StartTags: startTags, Tags: s.tags, SpareTags: serverTags}
	recording := s.span.Start(tracer, &info, parent)
	s.parent = s.span.TracerContext(s.parent)
	if public {
		s.span.Link(remote)
		s.span.Distrust(tracer, opentracing.HTTPHeadersCarrier(s.original.Header))
	}
	if recording {
		l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
		s.tagRequest(tagWriter{s.config, &s.span, &l})
		l.Flush()
	}
	if s.traceIDHeader != "" && !public {
		if value := s.traceIDValue(); value != "" {
			s.out.header = &sentHeader{traceID: value}
		}
	}
}

// findRoute looks up the route before the handler runs, and sets the operation name.
func (s *serverState) findRoute() {
	s.route = s.router.before(s)
	s.settled = s.final && !leadsOn(s.route)
	s.name = s.nameOf(s.original, s.route)
}

// serve runs the handler and ends the request on every way out. A panic goes on with the same value from within the
// function that recovered it, so that its stack still shows where it began.
func (s *serverState) serve(w http.ResponseWriter) {
	returned := false
	defer func() {
		var panicked any
		if !returned {
			panicked = recover()
		}
		if !s.private {
			defer s.copyBack()
		}
		s.end(returned, panicked)
		if panicked != nil {
			panic(panicked)
		}
	}()
	if s.tagged || len(*s.hooks) > 0 {
		s.out.timed.Store(true)
	}
	if !s.span.Started() {
		s.span.SetStartTime(time.Now())
		s.findRoute()
	}
	if s.profilingLabels {
		defer proflabel.Get().Restore()
		s.setProfilingLabels()
	}
	r := s.copyRequest()
	if len(*s.hooks) > 0 {
		s.hooks.Started(&s.span, r)
	}
	switch {
	case w == nil:
	case isExtendedConnect(r, w):
		s.out.hijacked = true
	default:
		w = s.out.wrap(w)
		s.out.setTraceID()
	}
	s.next.ServeHTTP(w, r)
	returned = true
	s.out.finish()
}

func (s *serverState) setProfilingLabels() {
	defer s.span.RecoverHook()
	s.parent = proflabel.Set(s.parent, &s.span, s.name)
}
