package httpmw

import (
	"maps"
	"net/http"
	"slices"

	"github.com/opentracing/opentracing-go"
	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// injectHeaders puts the headers of parent's context on the request that is sent, in a map of its own. If the tracer
// fails, the request is sent without them.
func (s *clientState) injectHeaders(t opentracing.Tracer, parent *rpcspan.Parent) {
	defer s.span.RecoverHook()
	before := s.original.Header
	header := maps.Clone(before)
	if valid, _ := parent.Inject(t, opentracing.HTTPHeadersCarrier(header)); !valid {
		dropUnsendable(header, before)
	}
	s.sent.Header, s.request.header = header, header
	s.request.spanHeaders = rpcspan.Propagator(t).SpanHeaders()
}

// dropUnsendable removes what a tracer has added but cannot be sent: [http.Transport] would refuse the whole request.
func dropUnsendable(h, before http.Header) {
	for name, values := range h {
		if _, callers := before[name]; callers {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) || slices.ContainsFunc(values, unsendable) {
			delete(h, name)
		}
	}
}

func unsendable(value string) bool { return !httpguts.ValidHeaderFieldValue(value) }

// outerCall returns the state that a Transport further out keeps of this very request, or nil. A request that is sent
// in the course of that one, such as for a token, is another request.
func outerCall(r *http.Request) *clientState {
	s, ok := r.Context().Value(callKey{}).(*clientState)
	if !ok || !s.request.is(r) {
		return nil
	}
	return s
}

func (q *sentRequest) is(r *http.Request) bool {
	if sameHeader(q.header, r.Header) {
		return true
	}
	for _, name := range q.spanHeaders {
		if sent, has := q.header[name], r.Header[name]; len(sent) == 1 && len(has) == 1 && sent[0] == has[0] {
			return true
		}
	}
	u := r.URL
	return q.method == r.Method && q.scheme == u.Scheme && q.host == u.Host && q.path == u.Path && q.query == u.RawQuery
}
