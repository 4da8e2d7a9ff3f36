package grpcmw

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/hooks"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

type config struct {
	client                   bool // of a client interceptor
	startTags, unsampledTags *rpcspan.StartTags
	semconv                  Semconv

	filter   selector.Matcher
	name     func(fullMethod string) string
	tags     []opentracing.Tag
	userKeys map[string]bool // keys of tags; nil if there are none
	metadata []metadataTag
	hooks    hookList
	observed bool // one of hooks is an observer

	errorPolicy     func(fullMethod string, client bool, code codes.Code) bool
	baggageTags     []rpcspan.BaggageTag
	profilingLabels bool
	checkpoints     time.Duration // period; 0: none
	traceIDTrailer  string

	public    func(ctx context.Context, fullMethod string) bool
	silence   selector.Matcher
	propagate func(ctx context.Context, fullMethod string) bool
	service   func(target string) string

	methods  methods
	peers    knownPeers
	target   atomic.Pointer[target] // that was called last
	invokers invokers
	refusal  atomic.Pointer[refusal] // of the last one

	woven *wovenPart // of interceptors that are woven in; nil for those installed by hand
}

func serverConfig(opts []ServerOption) *config {
	c := new(config)
	for _, o := range opts {
		if o != nil {
			o.applyServer(c)
		}
	}
	return c.done(ext.SpanKindRPCServerEnum)
}

func clientConfig(opts []ClientOption) *config {
	c := &config{client: true}
	for _, o := range opts {
		if o != nil {
			o.applyClient(c)
		}
	}
	return c.done(ext.SpanKindRPCClientEnum)
}

// done completes c once all options are applied.
func (c *config) done(kind ext.SpanKindEnum) *config {
	c.startTags = rpcspan.NewStartTags(kind)
	c.unsampledTags = c.startTags.Unsampled()
	c.tags, c.userKeys = rpcspan.UserTags("grpc", c.tags)
	c.observed = c.hooks.HasObserver()
	return c
}

// hasCommonTags reports whether the RPCs of one method that succeed mostly have the same tags. On a server they do not,
// since each caller has an address of its own.
func (c *config) hasCommonTags() bool {
	return c.client && c.service == nil && len(c.hooks)+len(c.metadata)+len(c.baggageTags) == 0
}

// isTraced reports whether the filter is for the RPC.
func (c *call) isTraced(ctx context.Context, req any) bool {
	if c.cfg.filter == nil {
		return !c.method.probe
	}
	return c.matches(c.cfg.filter, ctx, req, true)
}

// isSilent reports whether neither the RPC nor anything below it is sampled.
func (c *call) isSilent(ctx context.Context, req any) bool {
	return c.cfg.silence != nil && c.matches(c.cfg.silence, ctx, req, false)
}

// matches calls a user's matcher. It returns cautious if the matcher panics.
func (c *call) matches(m selector.Matcher, ctx context.Context, req any, cautious bool) bool {
	return hooks.Call(&c.span, cautious, func() bool { return m.Match(ctx, c.cfg.meta(c.method, c.rpc, req)) })
}

// isPublic reports whether the caller is distrusted.
func (c *call) isPublic(ctx context.Context) bool {
	return c.cfg.public != nil &&
		hooks.Call(&c.span, true, func() bool { return c.cfg.public(ctx, c.method.full) })
}

// propagates reports whether the context is sent.
func (c *call) propagates(ctx context.Context) bool {
	return c.cfg.propagate == nil ||
		hooks.Call(&c.span, false, func() bool { return c.cfg.propagate(ctx, c.method.full) })
}

func (c *call) peerService(target string) string {
	if c.cfg.service == nil {
		return ""
	}
	return hooks.Call(&c.span, "", func() string { return c.cfg.service(target) })
}
