package httpmw

import (
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/rpcspan"
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

// WithFilter traces only requests for which trace returns true, and those for which it panics. A request that is not
// traced has no span, but the caller's context is still the parent of spans and requests further in.
func WithFilter(trace func(*http.Request) bool) Option {
	return option(func(c *config) { set(&c.filter, trace) })
}

// WithOperationName names spans. It is called with the route's template, or "" if there is none: before the span starts
// and, on a server, again after the handler if another route is known by then. The number of names must be bounded, so
// that they are not made from raw paths. If name panics or returns "", the default is used.
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

// WithHeaderTags records the named request and response headers, and no others, as http.request.header.<name> and
// http.response.header.<name> with the name in lower case. Several values are joined by ", ". The values of headers
// that hold secrets, such as Authorization and X-Api-Key, are recorded as REDACTED.
func WithHeaderTags(request, response []string) Option {
	return option(func(c *config) {
		c.reqTags = headerTags(c.reqTags, semconv.PrefixRequestHeader, request)
		c.respTags = headerTags(c.respTags, semconv.PrefixResponseHeader, response)
	})
}

// WithURLRedaction replaces the default redaction of URLs, which leaves out the user and masks the values of secret
// parameters. redact gets the whole URL, a copy, and returns what is recorded. It is called for URLs in the texts of
// errors, too.
func WithURLRedaction(redact func(*url.URL) string) Option {
	return option(func(c *config) {
		if redact != nil {
			c.redact = redact
		}
	})
}

// WithErrorPolicy decides which statuses mark a span as failed. By default these are the statuses from 500 on a server
// and from 400 on a client. isError is called when a request ended with a status and nothing else decides: neither a
// panic, an error or a deadline, which are failures, nor a client that left, which is none. If isError panics, the
// default decides. r is the request as the handler or the base transport saw it, client is true in a [Transport].
func WithErrorPolicy(isError func(r *http.Request, client bool, status int) bool) Option {
	return option(func(c *config) {
		if isError != nil {
			c.errorPolicy = isError
		}
	})
}

// WithOutcome calls hook once for each span, just before it ends, also if the span is not sampled. The hook may set
// o.IsError; it must not keep o. r is the request as the handler or the base transport saw it. Hooks add up: they are
// called in the order of the options, before the observers, and each sees IsError as the one before left it. If hook
// panics, the next is called all the same.
func WithOutcome(hook func(span opentracing.Span, r *http.Request, o *Outcome)) Option {
	return option(func(c *config) {
		if hook != nil {
			c.hooks = append(c.hooks, outcomeHook(hook))
		}
	})
}

// WithObserver notifies o of every request, whether it has a span or not. Observers add up, and see what the hooks of
// [WithOutcome] have decided. An observer that is given twice, or to two middlewares on the way of
// a request, is notified of the request once.
func WithObserver(o Observer) Option {
	return option(func(c *config) {
		if o != nil {
			c.hooks = append(c.hooks, hookList{observerHook(o)}.Without(c.hooks)...)
		}
	})
}

// WithBaggageTags records the named baggage items as tags baggage.<key>, on spans that have them. Values are cut at 256
// bytes. At a public endpoint the caller's baggage is not read, see [WithPublicEndpoint].
func WithBaggageTags(keys ...string) Option {
	return option(func(c *config) { c.baggageTags = rpcspan.BaggageTags(c.baggageTags, keys...) })
}

// WithProfilingLabels sets the pprof labels trace_id, span_id and span_name while the handler or the base transport
// runs, on their goroutine and in the request's context, so that CPU profiles can be filtered by route and trace. The
// other labels of the context and of the goroutine stay, and the goroutine has its own labels back afterwards. The name
// is the one that the span starts with. It costs about a microsecond a request.
func WithProfilingLabels() Option {
	return option(func(c *config) { c.profilingLabels = true })
}

// WithRoutes names the router that requests end up in, for a middleware that is outside of a chi router with others in
// between. Only the router's Match is called, before the handler runs. A route is found if the path reaches the router
// unchanged.
func WithRoutes(routes chi.Routes) ServerOption {
	return serverOption(func(c *config) {
		if routes != nil {
			c.routes = routes
		}
	})
}

// WithMux is [WithRoutes] for an [http.ServeMux].
func WithMux(mux *http.ServeMux) ServerOption {
	return serverOption(func(c *config) {
		if mux != nil {
			c.mux = mux
		}
	})
}

// WithPublicEndpoint starts a new trace for requests for which public returns true. The caller's sampling flag, debug
// id and baggage are ignored, and its ids are recorded as the tags link.trace_id and link.span_id. If public panics,
// the request is treated as public.
func WithPublicEndpoint(public func(*http.Request) bool) ServerOption {
	return serverOption(func(c *config) { set(&c.public, public) })
}

// WithSilence leaves requests for which silent returns true unsampled, and everything further in, here and in the
// services that they call. It precedes [WithFilter], which passes the caller's context on. If silent panics, the
// request is traced.
func WithSilence(silent func(*http.Request) bool) ServerOption {
	return serverOption(func(c *config) { set(&c.silent, silent) })
}

// WithTraceIDHeader sends the trace id in the named response header, before the handler runs and not on public
// endpoints: as 32 hex digits, or, if the name is "traceresponse" or "Server-Timing" in any case, with the id of the
// server's span and whether it is sampled: 00-<trace id>-<span id>-<01 or 00>, in Server-Timing as the entry
// traceparent;desc="00-…" beside those of others. Without known ids there is no header.
func WithTraceIDHeader(name string) ServerOption {
	return serverOption(func(c *config) { c.traceIDHeader = textproto.CanonicalMIMEHeaderKey(name) })
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

// WithPeerService records the name of the service that a request goes to as the tag peer.service, unless name returns
// "".
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
// dropped without being read to its end or closed. caller is "function file:line" of who used the [http.Client] or,
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
