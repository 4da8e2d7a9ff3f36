package httpmw

import (
	"maps"
	"net/http"
	"slices"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/header"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// injectHeaders puts the headers of parent's context on the request that is sent, in a map of its own. If the tracer
// fails, the request is sent without them.
func (s *clientState) injectHeaders(t opentracing.Tracer, parent *rpcspan.Parent) {
	defer s.span.RecoverHook()
	before := s.original.Header
	sent := maps.Clone(before)
	if valid, _ := parent.Inject(t, opentracing.HTTPHeadersCarrier(sent)); !valid {
		dropUnsendable(sent, before)
	}
	s.copy.Header = sent
}

// dropUnsendable removes what a tracer has added but cannot be sent: [http.Transport] would refuse the whole request.
func dropUnsendable(h, before http.Header) {
	for name, values := range h {
		if _, callers := before[name]; callers {
			continue
		}
		if !header.IsName(name) || slices.ContainsFunc(values, unsendable) {
			delete(h, name)
		}
	}
}

func unsendable(value string) bool { return !header.IsValue(value) }

// outerCall returns the state that a Transport further out keeps of this very request, or nil. A request that is sent
// in the course of that one, such as for a token, is another request.
func outerCall(r *http.Request) *clientState {
	s, ok := r.Context().Value(callKey{}).(*clientState)
	if !ok || !s.mu.TryLock() { // its hooks are being called
		return nil
	}
	defer s.mu.Unlock()
	if s.ended || !s.sends(r) {
		return nil
	}
	return s
}

// sends reports whether r is the request that is sent, or a copy of it.
func (s *clientState) sends(r *http.Request) bool {
	if sameHeader(s.copy.Header, r.Header) {
		return true
	}
	tracer, _ := rpcspan.Tracer(s.tracer)
	for _, name := range rpcspan.Propagator(tracer).SpanHeaders() {
		if sent, has := s.copy.Header[name], r.Header[name]; len(sent) == 1 && len(has) == 1 && sent[0] == has[0] {
			return true
		}
	}
	a, b := s.copy.URL, r.URL
	return s.copy.Method == r.Method && a.Scheme == b.Scheme && a.Host == b.Host && a.Path == b.Path &&
		a.RawQuery == b.RawQuery
}
