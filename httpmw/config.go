package httpmw

import (
	"net/http"
	"net/netip"
	"net/url"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/hooks"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

type config struct {
	startTags, unsampledTags *rpcspan.StartTags
	semconv                  Semconv

	filter   func(*http.Request) bool
	name     func(*http.Request, string) string
	tags     []opentracing.Tag
	userKeys map[string]bool // keys of tags; nil if there are none
	redact   func(*url.URL) string
	hooks    hookList
	observed bool // one of hooks is an observer

	errorPolicy     func(r *http.Request, client bool, status int) bool
	baggageTags     []rpcspan.BaggageTag
	profilingLabels bool

	reqTags  []headerTag
	respTags []headerTag

	routes        chi.Routes
	mux           *http.ServeMux
	public        func(*http.Request) bool
	silent        func(*http.Request) bool
	traceIDHeader string
	proxies       []netip.Prefix

	inject   func(*http.Request) bool
	service  func(*http.Request) string
	events   bool
	unclosed func(*http.Request, string)

	values *valueCache
	code   uintptr // of the middleware function, by which others of this package are recognised
}

// done completes c once all options are applied.
func (c *config) done(kind ext.SpanKindEnum) *config {
	c.startTags = rpcspan.NewStartTags(kind)
	c.tags, c.userKeys = rpcspan.UserTags("net/http", c.tags)
	c.unsampledTags = c.startTags.Unsampled()
	c.observed = c.hooks.HasObserver()
	return c
}

// callPredicate calls a user's predicate by [hooks.Call]. It returns unset if there is none, and cautious if it panics.
func callPredicate(s *rpcspan.Span, f func(*http.Request) bool, r *http.Request, unset, cautious bool) bool {
	if f == nil {
		return unset
	}
	return hooks.Call(s, cautious, func() bool { return f(r) })
}

// callString calls a user's function that returns a string. It returns "" if there is none, and if it panics.
func callString(s *rpcspan.Span, f func(*http.Request) string, r *http.Request) string {
	if f == nil {
		return ""
	}
	return hooks.Call(s, "", func() string { return f(r) })
}
