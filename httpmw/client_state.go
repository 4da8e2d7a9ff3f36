package httpmw

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/proflabel"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
	"github.com/spanloom/spanloom/internal/woven"
)

// clientState is the state of one round trip. It backs the request that the base transport sees, its context and the
// body of the response, which saves three allocations.
//
// The caller may use its request again as soon as it has closed the response's body. So what is needed later is in the
// copy, and closing the body waits for an end that is already under way in another goroutine.
type clientState struct {
	*transport
	span   rpcspan.Span
	hooks  *hookList    // of this transport, without observers that an outer one calls; nil for all of the transport's
	outer  *clientState // of a transport further out that has no span; nil if there is none
	joined joinedHooks

	original *http.Request   // the caller's; only read, and not after the body is closed
	parent   context.Context // the caller's, and what the tracer adds to it; copy's is derived from it
	copy     http.Request    // as the base transport has it

	method    string        // of the caller's request, which the base transport may change in its copy
	template  string        // "" if unknown
	operation string        // name that the span was started with
	firstByte time.Duration // from the start to the response's header
	events    *connEvents
	body      responseBody

	status       int32
	resends      int32 // how many requests preceded this one: redirects, and attempts at the same request
	copied       bool  // if not, the base transport has original
	tagged       bool  // the tags of the request have been set
	headerTagged bool  // and the status
	ended        bool
	mu           sync.Mutex // held by who ends the round trip
}

func newClientState(t *transport, r *http.Request) *clientState {
	s := &clientState{transport: t, original: r, parent: r.Context(), method: r.Method}
	s.body.length = -1
	return s
}

// ownHooks returns the hooks of this transport that are called for this request.
func (s *clientState) ownHooks() hookList {
	if s.hooks != nil {
		return *s.hooks
	}
	return s.config.hooks
}

// allHooks returns the hooks of this transport and of those further out.
func (s *clientState) allHooks() hookList {
	all := s.ownHooks()
	for o := s.outer; o != nil; o = o.outer {
		all = append(slices.Clip(all), o.ownHooks()...)
	}
	return all
}

// clientTags is how many tags the span of a round trip usually gets after its start.
const clientTags = 7

// start starts the span, unless the filter is against it, and makes the request that is sent. A panic of the tracer is
// recovered: the request is sent nonetheless, in the trace if that is known by then. If a hook ends its goroutine, the
// span ends, too.
func (s *clientState) start(tracer opentracing.Tracer) {
	returned := false
	defer func() {
		if !returned && s.span.Started() {
			s.hooks = new(hookList) // none has seen the request begin
			s.end(&clientEnd{goexit: true})
		}
	}()
	s.decide(tracer)
	returned = true
}

// decide starts the span if the filter is for it, and makes the request that is sent.
func (s *clientState) decide(tracer opentracing.Tracer) {
	defer s.span.RecoverHook()
	r := s.original
	if !callPredicate(&s.span, s.filter, r, true, true) {
		if active := rpcspan.Active(s.parent); active.IsValid() && callPredicate(&s.span, s.config.inject, r, true, false) {
			s.copyRequest(s.parent)
			s.injectHeaders(tracer, &active)
		}
		return
	}
	s.startSpan(tracer)
	s.copyRequest(s.context())
	if callPredicate(&s.span, s.config.inject, r, true, false) {
		self := s.span.Parent()
		s.injectHeaders(tracer, &self)
	}
}

func (s *clientState) startSpan(tracer opentracing.Tracer) {
	s.findName()
	parent := rpcspan.Active(s.parent)
	info := rpcspan.StartInfo{Name: s.operation, StartTags: s.startTags, Tags: s.tags, SpareTags: clientTags}
	recording := s.span.Start(tracer, &info, &parent)
	s.parent = s.span.TracerContext(s.parent)
	before, last := s.attempts()
	s.resends = int32(before)
	if recording {
		l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
		s.tagRequest(tagWriter{s.config, &s.span, &l})
		l.Flush()
		s.span.LinkTo(last)
	}
}

func (s *clientState) tagRequest(t tagWriter) {
	s.tagged = true
	t.clientRequest(s.original, s.template)
	t.tags.AddBaggage(t.baggageTags)
	if s.resends > 0 {
		t.add(semconv.HTTPResendCount, int(s.resends))
	}
}

// roundTrip sends the request, and ends the span on every way out but a body that is still to be read.
func (s *clientState) roundTrip() (resp *http.Response, err error) {
	switch {
	case s.span.Started():
		if !s.copied { // the tracer has panicked
			s.copyRequest(s.context())
		}
	case s.ownHooks().HasObserver():
		s.observe()
	default:
		return s.pass()
	}
	returned := false
	defer s.endPanicked(&returned)
	if s.profilingLabels && s.span.Started() {
		defer proflabel.Get().Restore()
		s.setProfilingLabels()
	}
	if hooks := s.ownHooks(); len(hooks) > 0 {
		hooks.Started(&s.span, &s.copy)
	}
	resp, err = s.base.RoundTrip(&s.copy)
	returned = true
	s.restoreRequest(resp)
	if err != nil || resp == nil {
		s.end(&clientEnd{err: err})
		return resp, err
	}
	return s.receive(resp), nil
}

// observe prepares a request that has no span for being observed.
func (s *clientState) observe() {
	s.span.SetStartTime(time.Now())
	s.findName()
	if !s.copied {
		s.copyRequest(clientContext{s})
		return
	}
	s.copy = *s.copy.WithContext(clientContext{s})
}

// copyRequest makes the request that the base transport sees: a shallow copy with another context.
func (s *clientState) copyRequest(ctx context.Context) {
	s.copy = *s.original.WithContext(ctx)
	s.copied = true
}

// pass sends a request that is neither traced nor observed.
func (s *clientState) pass() (*http.Response, error) {
	if woven.Active() {
		s.markSeen()
	}
	if !s.copied {
		return s.base.RoundTrip(s.original)
	}
	resp, err := s.base.RoundTrip(&s.copy)
	s.restoreRequest(resp)
	return resp, err
}

func (s *clientState) setProfilingLabels() {
	defer s.span.RecoverHook()
	s.parent = proflabel.Set(s.parent, &s.span, s.operation)
}
