package grpcmw

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Semconv chooses the vocabulary of tags.
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

type config struct {
	kind      *rpcspan.StartTags
	silent    *rpcspan.StartTags
	filter    selector.Matcher
	name      func(fullMethod string) string
	tags      []opentracing.Tag
	taken     map[string]bool // keys of tags; nil if there are none
	semconv   Semconv
	metadata  []metadataTag
	policy    func(fullMethod string, client bool, code codes.Code) bool
	outcome   func(ctx context.Context, span opentracing.Span, o *Outcome)
	public    func(ctx context.Context, fullMethod string) bool
	silence   selector.Matcher
	trailer   string
	propagate func(ctx context.Context, fullMethod string) bool
	service   func(target string) string
	methods   methods
	target    atomic.Pointer[target]
	ofGRPC    atomic.Uintptr // entry point of gRPC's own invoker or streamer, once met
	ofOthers  atomic.Uintptr // that of the last other one

	checkpoints time.Duration // between them; 0: none
}

type serverOption func(*config)

func (o serverOption) applyServer(c *config) { o(c) }

type clientOption func(*config)

func (o clientOption) applyClient(c *config) { o(c) }

type option func(*config)

func (o option) applyServer(c *config) { o(c) }
func (o option) applyClient(c *config) { o(c) }

// WithFilter traces only RPCs that m matches. It replaces the default, which leaves out health checks and
// reflection. A caller's context is passed on whether the RPC is traced or not. A panic of m counts as a match.
func WithFilter(m selector.Matcher) Option {
	return option(func(c *config) {
		if m != nil {
			c.filter = m
		}
	})
}

// WithOperationName names spans. The default is the full method with its leading slash, without it under OTel, and
// UnknownMethod for methods a caller made up. An empty name means the default.
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

// WithMetadataTags records the values of these keys of the request's metadata, cut at 256 bytes, as
// grpc.metadata.<key>, or rpc.request.metadata.<key> under OTel. Binary keys are ignored, and of authorization and
// cookies only the presence is recorded.
func WithMetadataTags(keys ...string) Option {
	return option(func(c *config) {
		for _, key := range keys {
			key = strings.ToLower(key)
			known := slices.ContainsFunc(c.metadata, func(t metadataTag) bool { return t.key == key })
			if validKey(key) && !strings.HasSuffix(key, "-bin") && !known {
				c.metadata = append(c.metadata, newMetadataTag(key))
			}
		}
	})
}

// WithErrorPolicy decides which codes mark a span as failed. By default a server fails with Unknown,
// DeadlineExceeded, Unimplemented, Internal, Unavailable and DataLoss, a client with everything but OK and Canceled.
// A panic always fails.
func WithErrorPolicy(isError func(fullMethod string, client bool, code codes.Code) bool) Option {
	return option(func(c *config) {
		if isError != nil {
			c.policy = isError
		}
	})
}

// WithOutcome calls hook when an RPC ends, just before its span does, sampled or not. ctx has the span in it. The
// hook may set tags, log, and change o.IsError; it must not keep the span. Its panic is contained.
func WithOutcome(hook func(ctx context.Context, span opentracing.Span, o *Outcome)) Option {
	return option(func(c *config) {
		if hook != nil {
			c.outcome = hook
		}
	})
}

// WithCheckpoints shows streams while they are still open: as long as one is, a span of its own tells every so often how
// many messages it has sent and received so far. It is a child of the stream's span, is named like it with " checkpoint"
// behind, and lasts from one checkpoint to the next. Zero and less mean none.
func WithCheckpoints(every time.Duration) Option {
	return option(func(c *config) { c.checkpoints = every })
}

// WithPublicEndpoint tells which RPCs come from callers whose context is not to be obeyed: a new trace starts, the
// caller's sampling and baggage do not count, and its ids become the tags link.trace_id and link.span_id. An RPC for
// which public panics is distrusted.
func WithPublicEndpoint(public func(ctx context.Context, fullMethod string) bool) ServerOption {
	return serverOption(func(c *config) {
		if public != nil {
			c.public = public
		}
	})
}

// WithSilence matches RPCs that are not sampled, nor is anything below them, even if the caller is. It goes before
// WithFilter, which would let the caller's context through.
func WithSilence(m selector.Matcher) ServerOption {
	return serverOption(func(c *config) {
		if m != nil {
			c.silence = m
		}
	})
}

// WithTraceIDTrailer has a server send the trace id, as 32 hex digits, in this trailer when an RPC does not end with OK
// or panics, but not on public endpoints. A client whose interceptor is the last before gRPC records what it gets there as
// the tag grpc.server_trace_id. A key that gRPC cannot send, or reserves, is ignored.
func WithTraceIDTrailer(key string) Option {
	return option(func(c *config) {
		key = strings.ToLower(key)
		if validKey(key) && !strings.HasPrefix(key, "grpc-") && !strings.HasSuffix(key, "-bin") {
			c.trailer = key
		}
	})
}

// WithPropagation decides which RPCs carry the span's context to the server. The default is all of them. One for
// which inject panics goes without.
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
