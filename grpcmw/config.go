package grpcmw

import (
	"context"
	"strings"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go/ext"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

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
	c := new(config)
	for _, o := range opts {
		if o != nil {
			o.applyClient(c)
		}
	}
	return c.done(ext.SpanKindRPCClientEnum)
}

// done completes c once all options are applied.
func (c *config) done(kind ext.SpanKindEnum) *config {
	c.kind = rpcspan.NewStartTags(kind)
	c.tags, c.taken = rpcspan.UserTags("grpc", c.tags)
	c.silent = c.kind.Unsampled()
	return c
}

// traces reports whether the RPC gets a span.
func (c *config) traces(s *rpcspan.Span, ctx context.Context, m *method, kind rpcKind, req any) bool {
	if c.filter == nil {
		return !m.probe
	}
	return matches(s, c.filter, ctx, m, kind, req, true)
}

// silences reports whether nothing of the RPC is to be sampled.
func (c *config) silences(s *rpcspan.Span, ctx context.Context, m *method, kind rpcKind, req any) bool {
	return c.silence != nil && matches(s, c.silence, ctx, m, kind, req, false)
}

// matches asks a user's matcher, and answers otherwise if it panics.
func matches(s *rpcspan.Span, by selector.Matcher, ctx context.Context, m *method, kind rpcKind, req any, otherwise bool) (match bool) {
	match = otherwise
	defer s.RecoverHook()
	return by.Match(ctx, kind.meta(m, req))
}

func (c *config) operationName(s *rpcspan.Span, m *method) string {
	if c.name != nil {
		if name := c.asked(s, m); name != "" {
			return name
		}
	}
	switch {
	case !m.known:
		return UnknownMethod
	case c.semconv == OTel:
		return strings.TrimPrefix(m.full, "/")
	}
	return m.full
}

func (c *config) asked(s *rpcspan.Span, m *method) (name string) {
	defer s.RecoverHook()
	return c.name(m.full)
}

func (c *config) isError(s *rpcspan.Span, fullMethod string, client bool, code codes.Code) (failed bool) {
	failed = failsByDefault(fullMethod, client, code)
	if c.policy == nil {
		return failed
	}
	defer s.RecoverHook()
	return c.policy(fullMethod, client, code)
}

func (c *config) isPublic(s *rpcspan.Span, ctx context.Context, fullMethod string) (public bool) {
	if c.public == nil {
		return false
	}
	public = true
	defer s.RecoverHook()
	return c.public(ctx, fullMethod)
}

func (c *config) propagates(s *rpcspan.Span, ctx context.Context, fullMethod string) (inject bool) {
	if c.propagate == nil {
		return true
	}
	defer s.RecoverHook()
	return c.propagate(ctx, fullMethod)
}

func (c *config) peerService(s *rpcspan.Span, target string) (name string) {
	if c.service == nil {
		return ""
	}
	defer s.RecoverHook()
	return c.service(target)
}
