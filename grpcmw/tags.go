package grpcmw

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

var (
	rpcTypes = [...]any{unary: "unary", clientStream: "client_stream", serverStream: "server_stream", bidi: "bidi"}
	// system is boxed once.
	system any = "grpc"
)

// methodTags are those that all RPCs of a method have.
func (c *config) methodTags(m *method, rpc rpcKind) (tags []opentracing.Tag) {
	add := func(tag *semconv.Tag, value any) {
		first, second := tag.Keys(c.semconv)
		for _, key := range [...]string{first, second} {
			if key != "" && !c.taken[key] {
				tags = append(tags, opentracing.Tag{Key: key, Value: value})
			}
		}
	}
	add(semconv.RPCSystem, system)
	if m.known {
		add(semconv.RPCService, m.service)
	}
	if semconv.WritesOpenTracing(c.semconv) {
		add(semconv.RPCMethod, m.name)
	} else {
		add(semconv.RPCFullMethod, m.path)
	}
	if !m.known {
		add(semconv.RPCMethodOriginal, m.original)
	}
	add(semconv.GRPCType, rpcTypes[rpc])
	return append(tags, c.tags...)
}

// describe tells what is known when an RPC begins.
func (c *call) describe(l *rpcspan.Tags) {
	c.described = true
	c.deadlineTag(l)
	if c.client != nil {
		c.client.calleeTags(l)
	} else {
		c.callerTags(l)
	}
}

// describeLate does so, and sets what the span starts with, if the span began to be recorded only while the RPC ran.
func (c *call) describeLate(l *rpcspan.Tags) {
	if c.described {
		return
	}
	kind := ext.SpanKindRPCServerEnum
	if c.kind.client() {
		kind = ext.SpanKindRPCClientEnum
	}
	l.Add(semconv.SpanKind, kind)
	c.SetTags(c.method.tags...)
	c.describe(l)
}

// deadlineTag tells how much time an RPC has.
func (c *call) deadlineTag(l *rpcspan.Tags) {
	if deadline, ok := c.base.Deadline(); ok {
		l.Add(semconv.GRPCTimeout, max(time.Until(deadline).Milliseconds(), 0))
	}
}

// callerTags sets what a server knows of its caller.
func (c *call) callerTags(l *rpcspan.Tags) {
	if p, ok := peer.FromContext(c.base); ok && p.Addr != nil {
		c.peerTags(l, c.cfg.newEndpoint(p.Addr.String()))
	}
	attemptTag(l, cmp.Or(attempt(sentBy(c.base, grpcAttempts)), attempt(sentBy(c.base, retryAttempt))))
	for _, tag := range c.cfg.metadata {
		tag.record(l, c.cfg.semconv, metadata.ValueFromIncomingContext(c.base, tag.key))
	}
}

// calleeTags sets what a client knows of the server before it answers, and what it sends as metadata.
func (c *clientCall) calleeTags(l *rpcspan.Tags) {
	if name := c.cfg.peerService(&c.Span, c.target()); name != "" {
		l.Add(semconv.PeerService, name)
	}
	if sentWith(c.base) == nil {
		return
	}
	md, _ := metadata.FromOutgoingContext(c.base)
	attemptTag(l, attempt(md[retryAttempt]))
	for _, tag := range c.cfg.metadata {
		tag.record(l, c.cfg.semconv, md[tag.key])
	}
}

// maxAttempts bounds a number that a caller sent.
const maxAttempts = 1000

// The keys under which gRPC's own retries, and those of go-grpc-middleware, tell how many attempts there were before.
const (
	grpcAttempts = "grpc-previous-rpc-attempts"
	retryAttempt = "x-retry-attempt"
)

// attempt is the number of this attempt at the RPC, counted from 1, by the number of those before; 0 if it is not told.
func attempt(before []string) int {
	if len(before) > 0 {
		if n, err := strconv.Atoi(before[0]); err == nil && 0 < n && n < maxAttempts {
			return n + 1
		}
	}
	return 0
}

func attemptTag(l *rpcspan.Tags, n int) {
	if n > 0 {
		l.Add(semconv.GRPCAttempt, n)
	}
}

// endTags sets what is known at the end.
func (c *call) endTags(l *rpcspan.Tags, s condition, failed bool) {
	l.Add(semconv.GRPCStatusCode, int(s.code))
	if s.code != codes.OK {
		l.Add(semconv.GRPCCode, s.code.String())
	}
	l.Add(semconv.RPCResponseStatusCode, specName(s.code))
	if failed && !s.panicked && semconv.WritesOTel(c.cfg.semconv) {
		l.Add(semconv.ErrorType, specName(s.code))
	}
	if c.stream != nil {
		sent, received := c.stream.messages()
		l.Add(semconv.MessagesSent, sent)
		l.Add(semconv.MessagesReceived, received)
		if first := c.stream.first.Load(); first > 0 {
			l.Add(semconv.GRPCFirstMessage, float64(first)/float64(time.Millisecond))
		}
	}
	if c.client != nil {
		c.peerTags(l, c.client.callee())
		c.client.serverTrace(l)
		if n := c.client.dropped; n > 0 {
			l.Add(semconv.DroppedMetadata, int(n))
		}
	}
	if failed && !s.panicked {
		l.Add(semconv.StatusDescription, model.Cut(s.message, semconv.MaxMessage))
		c.Fail(s.code.String(), s.message, nil)
	}
}

// maxTraceID is more than any trace id has.
const maxTraceID = 64

// serverTrace tells the trace id that the server sent.
func (c *clientCall) serverTrace(l *rpcspan.Tags) {
	if c.cfg.trailer == "" || !c.told.Load() {
		return
	}
	if id := c.trailer.Get(c.cfg.trailer); len(id) > 0 && id[0] != "" {
		l.Add(semconv.GRPCServerTraceID, model.Cut(id[0], maxTraceID))
	}
}

// codeNames are the codes' names in gRPC's specification, boxed once.
var codeNames = [...]any{
	codes.OK: "OK", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
	codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
	codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
	codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
}

func specName(code codes.Code) any {
	if int(code) < len(codeNames) {
		return codeNames[code]
	}
	return strconv.Itoa(int(code))
}

// metadataTag is a key of the request's metadata to record, and how its tags are called.
type metadataTag struct {
	key, openTracing, otel string
	secret                 bool
}

func newMetadataTag(key string) metadataTag {
	t := metadataTag{key: key, openTracing: semconv.PrefixMetadata + key, otel: semconv.PrefixOTelMetadata + key}
	switch key {
	case "authorization", "proxy-authorization", "cookie", "set-cookie":
		t.secret = true
	}
	return t
}

func (t metadataTag) record(l *rpcspan.Tags, conv Semconv, values []string) {
	if len(values) == 0 {
		return
	}
	value := "***"
	if !t.secret {
		value = model.Cut(strings.Join(values, ","), semconv.MaxMetadata)
	}
	if semconv.WritesOpenTracing(conv) {
		l.Set(t.openTracing, value)
	}
	if semconv.WritesOTel(conv) {
		l.Set(t.otel, value)
	}
}
