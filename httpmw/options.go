package httpmw

import (
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/semconv"
)

// ServerOption is an option of Middleware.
type ServerOption interface{ server(*config) }

// ClientOption is an option of Transport and Client.
type ClientOption interface{ client(*config) }

// Option is an option of both sides.
type Option interface {
	ServerOption
	ClientOption
}

type (
	option       func(*config)
	serverOption func(*config)
	clientOption func(*config)
)

func (o option) server(c *config)       { o(c) }
func (o option) client(c *config)       { o(c) }
func (o serverOption) server(c *config) { o(c) }
func (o clientOption) client(c *config) { o(c) }

// Semconv chooses the vocabulary of tags. The zero value is OpenTracing.
type Semconv = semconv.Vocabulary

// OpenTracing is the vocabulary that Jaeger and OpenTracing dashboards read, OTel is the stable one of
// OpenTelemetry, Both writes every fact in both. All of them write span.kind, a boolean error and
// http.status_code, which Jaeger reads.
const (
	OpenTracing = semconv.OpenTracing
	OTel        = semconv.OTel
	Both        = semconv.Both
)

// WithFilter traces only requests for which trace returns true. A request that is not traced has no span, but the
// caller's context still flows through it to its child spans and outgoing requests.
func WithFilter(trace func(*http.Request) bool) Option {
	return option(func(c *config) { set(&c.filter, trace) })
}

// WithOperationName names spans. It is called with the route's template, "" if there is none: before the span
// starts and, on a server, again after the handler if the route turned out different. It must not return
// unbounded names, such as raw paths.
func WithOperationName(name func(r *http.Request, route string) string) Option {
	return option(func(c *config) {
		if name != nil {
			c.name = name
		}
	})
}

// WithTags puts tags on every span. They win over the kit's own tags of the same key, except span.kind and error.
func WithTags(tags ...opentracing.Tag) Option {
	return option(func(c *config) { c.tags = append(c.tags, tags...) })
}

// WithSemconv chooses the vocabulary of tags.
func WithSemconv(s Semconv) Option {
	return option(func(c *config) { c.semconv = s })
}

// WithHeaderTags records the named request and response headers, and no others, as
// http.request.header.<name> and http.response.header.<name> with the name in lower case. Several values are
// joined by ", ".
func WithHeaderTags(request, response []string) Option {
	return option(func(c *config) {
		c.reqTags = headerTags(semconv.PrefixRequestHeader, request)
		c.respTags = headerTags(semconv.PrefixResponseHeader, response)
	})
}

// WithURLRedaction replaces the default redaction of URLs, which drops user names, passwords and the values of
// known secret parameters. redact gets the whole URL, a copy, and returns what is recorded.
func WithURLRedaction(redact func(*url.URL) string) Option {
	return option(func(c *config) {
		if redact != nil {
			c.redact = redact
		}
	})
}

// WithOutcome calls hook once for each span, just before it ends, also for spans that are not sampled. r is the
// request as the handler or the base transport saw it.
func WithOutcome(hook func(span opentracing.Span, r *http.Request, o *Outcome)) Option {
	return option(func(c *config) {
		if hook != nil {
			c.outcome = hook
		}
	})
}

// WithRoutes names the router that requests end up in, for a middleware outside a chi router that cannot see it
// because others are in between. Paths must reach the router unchanged for the route to be known early.
func WithRoutes(routes chi.Routes) ServerOption {
	return serverOption(func(c *config) {
		if routes != nil {
			c.routes = routes
		}
	})
}

// WithMux is WithRoutes for an http.ServeMux.
func WithMux(mux *http.ServeMux) ServerOption {
	return serverOption(func(c *config) {
		if mux != nil {
			c.mux = mux
		}
	})
}

// WithPublicEndpoint distrusts the callers of requests for which public returns true: their trace is not joined,
// their sampling flag, debug id and baggage are not obeyed. A new trace starts, and the caller's ids are kept as
// the tags link.trace_id and link.span_id. A request for which public panics is distrusted.
func WithPublicEndpoint(public func(*http.Request) bool) ServerOption {
	return serverOption(func(c *config) { set(&c.public, public) })
}

// WithSilence keeps requests for which silent returns true, and everything below them, here and in the services
// they call, from being sampled. It goes before WithFilter, which would let the caller's context through.
func WithSilence(silent func(*http.Request) bool) ServerOption {
	return serverOption(func(c *config) { set(&c.silent, silent) })
}

// WithTraceIDHeader sends the trace id in the named response header, before the handler runs and not on public
// endpoints: as 32 hex digits, or, if the name is "traceresponse" or "Server-Timing" in any case, with the id of the
// server's span and whether it is sampled: 00-<trace id>-<span id>-<01 or 00>, in Server-Timing as the entry
// traceparent;desc="00-…" beside those of others. Without known ids there is no header.
func WithTraceIDHeader(name string) ServerOption {
	return serverOption(func(c *config) { c.idName = textproto.CanonicalMIMEHeaderKey(name) })
}

// WithTrustedProxies records the client's address as http.client_ip: of the peer and the addresses in
// X-Forwarded-For, read from right to left, the first that is in none of the prefixes. Without it only the peer of
// the connection is recorded.
func WithTrustedProxies(prefixes ...netip.Prefix) ServerOption {
	return serverOption(func(c *config) { c.proxies = slices.Clone(prefixes) })
}

// WithPropagation sends trace headers only with requests for which inject returns true, for instance by host, so
// that third parties see neither ids nor baggage. A request for which inject panics goes without.
func WithPropagation(inject func(*http.Request) bool) ClientOption {
	return clientOption(func(c *config) { set(&c.inject, inject) })
}

// WithPeerService tells the name of the service a request goes to, or "", for the tag peer.service.
func WithPeerService(name func(*http.Request) string) ClientOption {
	return clientOption(func(c *config) {
		if name != nil {
			c.service = name
		}
	})
}

// WithConnectionEvents logs what happens to the connection of a request (DNS, connect, TLS, first byte, …) on its
// span, and the address it went to. Hooks of the caller's httptrace stay in place.
func WithConnectionEvents() ClientOption {
	return clientOption(func(c *config) { c.events = true })
}

// WithUnclosedBody finds leaks: it calls report when the body of a response to a traced request, sampled or not, was
// dropped without being read to its end or closed. caller is "function file:line" of who used the http.Client or,
// without one, the Transport. The span, which otherwise would only end with its context, ends then, at the last read
// and with http.body.incomplete. report runs in a goroutine of its own once the garbage collector has found the body:
// late or, if the program ends first, never. It costs a few microseconds a request.
func WithUnclosedBody(report func(r *http.Request, caller string)) ClientOption {
	return clientOption(func(c *config) {
		if report != nil {
			c.unclosed = report
		}
	})
}

func set(to *func(*http.Request) bool, f func(*http.Request) bool) {
	if f != nil {
		*to = f
	}
}

// headerTag is a header and the tag it becomes.
type headerTag struct{ header, tag string }

func headerTags(prefix string, names []string) []headerTag {
	tags := make([]headerTag, 0, len(names))
	for _, name := range names {
		t := headerTag{textproto.CanonicalMIMEHeaderKey(name), prefix + strings.ToLower(name)}
		if name != "" && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}
