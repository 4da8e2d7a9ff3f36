package httpmw

import (
	"net/http"
	"sync"

	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/woven"
)

// wovenClientConfig returns the configuration of all woven transports: the default.
var wovenClientConfig = sync.OnceValue(func() *config {
	return (&config{values: newValueCache()}).done(ext.SpanKindRPCClientEnum)
})

// wovenRoundTrip is called by code that is woven into [http.Transport.RoundTrip]: see orchestrion.yml. It sends r by
// base, which is that very transport, with a span. done is false if the caller is to go on as if there were no woven
// code: if a [Transport] further out has the request, traced or not, since its options decide; if the kit itself sends
// it; without a tracer; and in the call of base.
func wovenRoundTrip(base http.RoundTripper, r *http.Request) (resp *http.Response, err error, done bool) {
	if r == nil || r.URL == nil || r.Header == nil || quiet.Is(r.Context()) {
		return nil, nil, false
	}
	if _, ok := rpcspan.Tracer(nil); !ok || outerCall(r) != nil {
		return nil, nil, false
	}
	resp, err = (&transport{config: wovenClientConfig(), base: base}).RoundTrip(r)
	return resp, err, true
}

// untraced sends a request that has no span and no observers.
func (t *transport) untraced(r *http.Request) (*http.Response, error) {
	if woven.Active() && r != nil && r.URL != nil && r.Header != nil && !quiet.Is(r.Context()) {
		return newClientState(t, r).pass()
	}
	return t.base.RoundTrip(r)
}

// markSeen makes woven code further in leave the request alone.
func (s *clientState) markSeen() {
	if !s.copied {
		s.copyRequest(clientContext{s})
		return
	}
	s.copy = *s.copy.WithContext(clientContext{s})
}
