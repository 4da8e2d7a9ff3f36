package grpcmw

import (
	"strconv"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Values of tags that every span has, boxed once.
var (
	rpcTypes     = [...]any{unary: "unary", clientStream: "client_stream", serverStream: "server_stream", bidi: "bidi"}
	system   any = "grpc"
)

// methodTags returns the tags that all RPCs of a method have.
func (c *config) methodTags(m *method, rpc rpcType) (tags []opentracing.Tag) {
	add := func(tag *semconv.Tag, value any) {
		first, second := tag.Keys(c.semconv)
		for _, key := range [...]string{first, second} {
			if key != "" && !c.userKeys[key] {
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
	if m.original != nil {
		add(semconv.RPCMethodOriginal, m.original)
	}
	add(semconv.GRPCType, rpcTypes[rpc])
	return append(tags, c.tags...)
}

// requestTags adds what is known when an RPC begins, unless the span already has it.
func (c *call) requestTags(l *rpcspan.Tags) {
	if c.tagged {
		return
	}
	c.tagged = true
	if deadline, ok := c.base.Deadline(); ok {
		l.Add(semconv.GRPCTimeout, max(time.Until(deadline).Milliseconds(), 0))
	}
	if c.client != nil {
		c.client.calleeTags(l)
	} else {
		c.callerTags(l)
	}
	l.AddBaggage(c.cfg.baggageTags)
}

// lateTags adds what other spans start with if the span began to be recorded only while the RPC ran.
func (c *call) lateTags(l *rpcspan.Tags) {
	if c.tagged {
		return
	}
	kind := ext.SpanKindRPCServerEnum
	if c.cfg.client {
		kind = ext.SpanKindRPCClientEnum
	}
	l.Add(semconv.SpanKind, kind)
	c.span.SetTags(c.method.tags...)
	c.requestTags(l)
}

// endTags adds what is known at the end.
func (c *call) endTags(l *rpcspan.Tags, s *rpcStatus, isError bool) {
	c.codeTags(l, s)
	l.Add(semconv.RPCResponseStatusCode, specCodes[s.code])
	if c.stream != nil {
		sent, received := c.stream.messages()
		l.Add(semconv.MessagesSent, sent)
		l.Add(semconv.MessagesReceived, received)
		if first := c.stream.first.Load(); first > 0 {
			l.Add(semconv.GRPCFirstMessage, float64(first)/float64(time.Millisecond))
		}
	}
	if c.client != nil {
		c.client.answerTags(l)
	}
	if s.panicked || s.code == codes.OK && !isError {
		return
	}
	message := semconv.MaskText(s.message)
	if message != "" {
		l.Add(semconv.StatusDescription, model.Cut(message, semconv.MaxMessage))
	}
	if isError {
		l.Add(semconv.ErrorType, s.errorType())
		c.span.Fail(s.code.String(), message, nil)
	}
}

// codeTags adds the status code.
func (c *call) codeTags(l *rpcspan.Tags, s *rpcStatus) {
	l.Add(semconv.GRPCStatusCode, int(s.code))
	if s.code != codes.OK {
		l.Add(semconv.GRPCCode, s.code.String())
	}
}

// specCodes are the codes' names in gRPC's specification, boxed once.
var specCodes = func() (names [len(specNames)]any) {
	for code, name := range specNames {
		names[code] = name
	}
	return names
}()

// maxAttempts bounds a number that a caller sent.
const maxAttempts = 1000

// attemptKeys are the keys under which retries send how many attempts came before: those of gRPC itself, of
// go-grpc-middleware v2, and of its v1.
var attemptKeys = [...]string{"grpc-previous-rpc-attempts", "x-retry-attempt", "x-retry-attempty"}

// attemptTag adds the number of this attempt at the RPC, counted from 1, if it is a retry.
func attemptTag(l *rpcspan.Tags, values func(key string) []string) {
	for _, key := range attemptKeys {
		if before := values(key); len(before) > 0 {
			if n, err := strconv.Atoi(before[0]); err == nil && 0 < n && n < maxAttempts {
				l.Add(semconv.GRPCAttempt, n+1)
				return
			}
		}
	}
}

// metadataTag is a key of the request's metadata to record, and the names of its tags.
type metadataTag struct{ key, openTracing, otel string }

func newMetadataTag(key string) metadataTag {
	return metadataTag{key: key, openTracing: semconv.PrefixMetadata + key, otel: semconv.PrefixOTelMetadata + key}
}

func (t metadataTag) record(l *rpcspan.Tags, values []string) {
	if len(values) == 0 {
		return
	}
	value := model.Cut(semconv.MaskHeader(t.key, strings.Join(values, ",")), semconv.MaxMetadata)
	if semconv.WritesOpenTracing(l.Vocabulary) {
		l.Set(t.openTracing, value)
	}
	if semconv.WritesOTel(l.Vocabulary) {
		l.Set(t.otel, value)
	}
}
