package grpcmw

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/header"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Semconv chooses the vocabulary of tags and operation names. The zero value is OpenTracing.
type Semconv = semconv.Vocabulary

// OpenTracing, the default, is the vocabulary that Jaeger and OpenTracing dashboards read; OTel is the stable one of
// OpenTelemetry; Both writes every fact in both, and where the two share a key, such as rpc.method, OpenTracing's
// value.
const (
	OpenTracing = semconv.OpenTracing
	OTel        = semconv.OTel
	Both        = semconv.Both
)

// ServerOption is an option of the server interceptors. Nil functions are ignored and later options win.
type ServerOption interface{ applyServer(*config) }

// ClientOption is an option of the client interceptors.
type ClientOption interface{ applyClient(*config) }

// Option is an option of both sides.
type Option interface {
	ServerOption
	ClientOption
}

type serverOption func(*config)

func (o serverOption) applyServer(c *config) { o(c) }

type clientOption func(*config)

func (o clientOption) applyClient(c *config) { o(c) }

type option func(*config)

func (o option) applyServer(c *config) { o(c) }
func (o option) applyClient(c *config) { o(c) }

// WithFilter traces only RPCs that m matches. It replaces the default, which leaves out health checks and reflection.
// An RPC that is not traced has no span, but the caller's context still flows through it. If m panics, the RPC is
// traced.
//
// Filters and [WithSilence] take a [selector.Matcher] where httpmw takes a func(*http.Request) bool: those of
// go-grpc-middleware can be used as they are, and [selector.MatchFunc] makes one of a function. The other options take
// a function of the context and the full method, which is all that there is of a request to decide by.
func WithFilter(m selector.Matcher) Option {
	return option(func(c *config) {
		if m != nil {
			c.filter = m
		}
	})
}

// WithOperationName names spans. name is called with the full method, or with [UnknownMethod] if a remote caller may
// have made it up. The default is the full method with its leading slash, under OTel without it. An empty name means
// the default.
func WithOperationName(name func(fullMethod string) string) Option {
	return option(func(c *config) {
		if name != nil {
			c.name = name
		}
	})
}

// WithTags puts tags on every span. They win over the kit's own tags of the same key, except span.kind and error;
// of two with the same key the later one wins.
func WithTags(tags ...opentracing.Tag) Option {
	return option(func(c *config) { c.tags = append(c.tags, tags...) })
}

// WithSemconv chooses the vocabulary of tags and names.
func WithSemconv(s Semconv) Option {
	return option(func(c *config) { c.semconv = s })
}

// WithMetadataTags records the values of these keys of the request's metadata, joined by "," and cut at 256 bytes, as
// grpc.metadata.<key>, or rpc.request.metadata.<key> under OTel. Binary keys are ignored. The values of keys that name
// secrets, such as authorization, are masked.
func WithMetadataTags(keys ...string) Option {
	return option(func(c *config) {
		for _, key := range keys {
			key = strings.ToLower(key)
			known := slices.ContainsFunc(c.metadata, func(t metadataTag) bool { return t.key == key })
			if header.IsKey(key) && !header.IsBinary(key) && !known {
				c.metadata = append(c.metadata, newMetadataTag(key))
			}
		}
	})
}

// WithErrorPolicy decides which codes mark a span as failed. By default a server fails with Unknown, DeadlineExceeded,
// Unimplemented, Internal, Unavailable and DataLoss, a client with every code but OK and Canceled. A panic always
// fails. If isError panics, the default decides. client is true in the client interceptors.
func WithErrorPolicy(isError func(fullMethod string, client bool, code codes.Code) bool) Option {
	return option(func(c *config) {
		if isError != nil {
			c.errorPolicy = isError
		}
	})
}

// WithOutcome calls hook once for each span, just before it ends, also if the span is not sampled. ctx has the span in
// it. The hook may set tags, log, and set o.IsError; it must not keep o. Hooks add up: they are called in the order of
// the options, before the observers, and each sees IsError as the one before left it. If hook panics, the next is
// called all the same.
func WithOutcome(hook func(ctx context.Context, span opentracing.Span, o *Outcome)) Option {
	return option(func(c *config) {
		if hook != nil {
			c.hooks = append(c.hooks, outcomeHook(hook))
		}
	})
}

// WithObserver notifies o of every RPC, whether it has a span or not. Observers add up, and see what the hooks of
// [WithOutcome] have decided. An observer that is given twice, or to two interceptors on the way of
// an RPC, is notified of the RPC once.
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

// WithProfilingLabels sets the pprof labels trace_id, span_id and span_name while the handler, the invoker or the
// streamer runs, on its goroutine and in its context, so that CPU profiles can be filtered by method and trace. The
// other labels of the context and of the goroutine stay, and the goroutine has its own labels back afterwards. It costs
// about a microsecond an RPC.
func WithProfilingLabels() Option {
	return option(func(c *config) { c.profilingLabels = true })
}

// WithCheckpoints shows streams while they are still open: at the end of each period a span of its own records how many
// messages the stream has sent and received so far. It is a child of the stream's span, has its name followed by
// " checkpoint", and lasts from one checkpoint to the next. Zero and less mean no checkpoints.
func WithCheckpoints(every time.Duration) Option {
	return option(func(c *config) { c.checkpoints = every })
}

// WithPublicEndpoint starts a new trace for RPCs for which public returns true. The caller's sampling flag, debug id
// and baggage are ignored, and its ids are recorded as the tags link.trace_id and link.span_id. If public panics, the
// RPC is treated as public.
func WithPublicEndpoint(public func(ctx context.Context, fullMethod string) bool) ServerOption {
	return serverOption(func(c *config) {
		if public != nil {
			c.public = public
		}
	})
}

// WithSilence keeps RPCs that m matches, and everything below them, here and in the services they call, from being
// sampled, even if the caller is. It goes before WithFilter, which would let the caller's context through.
func WithSilence(m selector.Matcher) ServerOption {
	return serverOption(func(c *config) {
		if m != nil {
			c.silence = m
		}
	})
}

// WithTraceIDTrailer makes a server send the trace id, as 32 hex digits, in this trailer when an RPC does not end with
// OK or panics, but not on public endpoints. A client records what it receives there as the tag grpc.server_trace_id;
// for unary RPCs only if its interceptor is the last one before gRPC. A key that gRPC cannot send, or reserves, is
// ignored.
func WithTraceIDTrailer(key string) Option {
	return option(func(c *config) {
		key = strings.ToLower(key)
		if header.IsKey(key) && !strings.HasPrefix(key, "grpc-") && !header.IsBinary(key) {
			c.traceIDTrailer = key
		}
	})
}

// WithPropagation sends the span's context only with RPCs for which inject returns true, for instance by method, so
// that third parties see neither ids nor baggage. The default is all RPCs. If inject panics, nothing is sent.
func WithPropagation(inject func(ctx context.Context, fullMethod string) bool) ClientOption {
	return clientOption(func(c *config) {
		if inject != nil {
			c.propagate = inject
		}
	})
}

// WithPeerService names the called service by the connection's target, which is "" without a connection. The name
// becomes the tag peer.service unless it is empty.
func WithPeerService(name func(target string) string) ClientOption {
	return clientOption(func(c *config) {
		if name != nil {
			c.service = name
		}
	})
}
