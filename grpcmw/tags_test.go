package grpcmw_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// both makes an RPC with a tracer on each side and returns the two spans.
func both(t *testing.T, network testsvc.Network, srv *testsvc.Server, server []grpcmw.ServerOption, client []grpcmw.ClientOption, use func(ctx context.Context, tr *transcript, cc *grpc.ClientConn)) (s, c *mocktracer.MockSpan) {
	t.Helper()
	tracer := spantest.New(t)
	cc := testsvc.Start(t, network, srv, grpcmw.ServerOptions(tracer, server...), grpcmw.DialOptions(tracer, client...))
	use(t.Context(), &transcript{}, cc)
	for _, span := range tracer.Finished() {
		if span.Tag("span.kind") == ext.SpanKindRPCServerEnum {
			s = span
		} else {
			c = span
		}
	}
	if s == nil || c == nil {
		t.Fatalf("spans %v, want one for each side", tracer.Finished())
	}
	return s, c
}

func sayHello(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
	tr.say(ctx, cc, testsvc.Say, "hello")
}

// typed shows values with their types, and addresses as such.
func typed(span *mocktracer.MockSpan) map[string]string {
	tags := map[string]string{}
	for k, v := range span.Tags() {
		tags[k] = fmt.Sprintf("%T %v", v, v)
		if host, _, err := net.SplitHostPort(fmt.Sprint(v)); err == nil && strings.HasSuffix(k, "address") {
			tags[k] = "address on " + host
		}
		if strings.HasSuffix(k, ".port") {
			tags[k] = fmt.Sprintf("%T port", v)
		}
	}
	return tags
}

func TestTagsOfTheTwoVocabularies(t *testing.T) {
	openTracing := map[string]string{
		"component": "string grpc", "rpc.system": "string grpc", "rpc.service": "string spanloom.test.Echo",
		"rpc.method": "string Say", "rpc.grpc.status_code": "int 0", "grpc.type": "string unary", "peer.address": "address on 127.0.0.1",
	}
	otel := map[string]string{
		"component": "string grpc", "rpc.system.name": "string grpc", "rpc.method": "string spanloom.test.Echo/Say",
		"rpc.response.status_code": "string OK", "grpc.type": "string unary",
	}
	withPeer := func(m map[string]string, kind, host, port string) map[string]string {
		out := map[string]string{"span.kind": "ext.SpanKindEnum " + kind}
		for k, v := range m {
			out[k] = v
		}
		if host != "" {
			out[host], out[port] = "string 127.0.0.1", "int port"
		}
		return out
	}
	for _, tt := range []struct {
		semconv        grpcmw.Semconv
		name           string
		server, client map[string]string
	}{
		{grpcmw.OpenTracing, testsvc.Say, withPeer(openTracing, "server", "", ""), withPeer(openTracing, "client", "", "")},
		{grpcmw.OTel, "spanloom.test.Echo/Say", withPeer(otel, "server", "network.peer.address", "network.peer.port"),
			withPeer(otel, "client", "server.address", "server.port")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, c := both(t, testsvc.TCP, nil, []grpcmw.ServerOption{grpcmw.WithSemconv(tt.semconv)}, []grpcmw.ClientOption{grpcmw.WithSemconv(tt.semconv)}, sayHello)
			if diff := cmp.Diff(tt.server, typed(s)); diff != "" {
				t.Errorf("server, semconv %v (-want +got):\n%s", tt.semconv, diff)
			}
			if diff := cmp.Diff(tt.client, typed(c)); diff != "" {
				t.Errorf("client, semconv %v (-want +got):\n%s", tt.semconv, diff)
			}
			if s.OperationName != tt.name || c.OperationName != tt.name {
				t.Errorf("names %q and %q, want %q", s.OperationName, c.OperationName, tt.name)
			}
		})
	}
	s, _ := both(t, testsvc.TCP, nil, []grpcmw.ServerOption{grpcmw.WithSemconv(grpcmw.Both)}, nil, sayHello)
	for k := range openTracing {
		if s.Tag(k) == nil {
			t.Errorf("Both lacks %s", k)
		}
	}
	for k := range otel {
		if s.Tag(k) == nil {
			t.Errorf("Both lacks %s", k)
		}
	}
}

func TestStreamsCountMessages(t *testing.T) {
	for method, want := range map[string]struct {
		kind     string
		up, down int
	}{testsvc.Collect: {"client_stream", 3, 1}, testsvc.Repeat: {"server_stream", 1, 2}, testsvc.Chat: {"bidi", 3, 3}} {
		t.Run(method, func(t *testing.T) {
			s, c := both(t, testsvc.Bufconn, nil, nil, nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
				texts := []string{"ab", "ab", "ab"}
				tr.stream(ctx, cc, method, texts[:want.up]...)
			})
			if c.Tag("rpc.messages.sent") != want.up || c.Tag("rpc.messages.received") != want.down || c.Tag("grpc.type") != want.kind {
				t.Errorf("%s: client tags %v", method, c.Tags())
			}
			if s.Tag("rpc.messages.received") != want.up || s.Tag("rpc.messages.sent") != want.down || s.Tag("grpc.type") != want.kind {
				t.Errorf("%s: server tags %v", method, s.Tags())
			}
		})
	}
}

func TestDeadlineAttemptAndStaticTags(t *testing.T) {
	tags := grpcmw.WithTags(opentracing.Tag{Key: "team", Value: "a"}, opentracing.Tag{Key: "team", Value: "b"})
	s, c := both(t, testsvc.Bufconn, nil, []grpcmw.ServerOption{tags}, []grpcmw.ClientOption{tags, grpcmw.WithPeerService(func(target string) string { return "to " + target })},
		func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			tr.say(metadata.AppendToOutgoingContext(ctx, "x-retry-attempt", "2"), cc, testsvc.Say, "x")
		})
	for _, span := range []*mocktracer.MockSpan{s, c} {
		if ms, ok := span.Tag("grpc.timeout_ms").(int64); !ok || ms < 3500000 || ms > 3600000 {
			t.Errorf("grpc.timeout_ms is %v", span.Tag("grpc.timeout_ms"))
		}
		if span.Tag("team") != "b" {
			t.Errorf("team is %v, want the last", span.Tag("team"))
		}
	}
	if s.Tag("grpc.attempt") != 3 {
		t.Errorf("grpc.attempt is %v, want 3", s.Tag("grpc.attempt"))
	}
	if c.Tag("peer.service") != "to passthrough:///bufconn" {
		t.Errorf("peer.service is %v", c.Tag("peer.service"))
	}
}

func TestHostileAttemptsAreNotRecorded(t *testing.T) {
	for _, v := range []string{"-1", "0", "99999999999", "x", "1e9", ""} {
		t.Run("attempt "+v, func(t *testing.T) {
			tracer := spantest.New(t)
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("grpc-previous-rpc-attempts", v))
			grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, unaryInfo, unaryHandler)
			if got := only(t, tracer).Tag("grpc.attempt"); got != nil {
				t.Errorf("%q recorded as %v", v, got)
			}
		})
	}
}

// TestTagsOfOneKeyAreSetOnce names a metadata key twice: jaeger would keep both tags.
func TestTagsOfOneKeyAreSetOnce(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("x-tenant", "blue"))
	opts := []grpcmw.ServerOption{grpcmw.WithMetadataTags("x-tenant", "X-Tenant"), grpcmw.WithMetadataTags("x-tenant")}
	grpcmw.UnaryServerInterceptor(tracer, opts...)(ctx, nil, unaryInfo, unaryHandler)
	seen := map[string]int{}
	for _, tag := range jaeger.BuildJaegerThrift(reporter.GetSpans()[0].(*jaeger.Span)).Tags {
		if seen[tag.Key]++; seen[tag.Key] > 1 {
			t.Errorf("tag %s is set twice", tag.Key)
		}
	}
	if seen["grpc.metadata.x-tenant"] != 1 {
		t.Errorf("tags %v", seen)
	}
}

// A method's tags are set in one of two ways, by what is known of the sampling; either way each span has each once.
func TestTagsOfAMethodAreSetOnceWhateverTheParent(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	mine := grpcmw.WithTags(opentracing.Tag{Key: "team", Value: "stock"})
	server, client := grpcmw.UnaryServerInterceptor(tracer, mine), grpcmw.UnaryClientInterceptor(tracer, mine)
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.Stock/Get"}
	call := func(ctx context.Context, _ any) (any, error) {
		return nil, client(ctx, "/shop.Stock/Look", nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil })
	}
	parent := metadata.Pairs("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	for _, ctx := range []context.Context{context.Background(), metadata.NewIncomingContext(context.Background(), parent)} {
		if _, err := server(ctx, nil, info, call); err != nil {
			t.Fatal(err)
		}
	}
	for i, span := range reporter.GetSpans() {
		times := map[string]int{}
		for _, tag := range jaeger.BuildJaegerThrift(span.(*jaeger.Span)).Tags {
			times[tag.Key]++
		}
		want := []string{"span.kind", "component", "rpc.system", "rpc.service", "rpc.method", "grpc.type", "team", "rpc.grpc.status_code"}
		if i == 1 { // the root server span, which ends after its child
			want = append(want, "sampler.type", "sampler.param")
		}
		for _, key := range want {
			if times[key] != 1 {
				t.Errorf("span %d has %s %d times", i, key, times[key])
			}
		}
	}
	if n := len(reporter.GetSpans()); n != 4 {
		t.Errorf("%d spans, want 4", n)
	}
}

func TestMetadataBecomesTags(t *testing.T) {
	opt := grpcmw.WithMetadataTags("X-Tenant", "authorization", "k-bin", "long", "bad key", "absent")
	s, c := both(t, testsvc.Bufconn, nil, []grpcmw.ServerOption{opt}, []grpcmw.ClientOption{opt}, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.say(metadata.AppendToOutgoingContext(ctx, "x-tenant", "a", "x-tenant", "b", "authorization", "Bearer s3cret", "k-bin", "\x00", "long", strings.Repeat("x", 999)), cc, testsvc.Say, "x")
	})
	for _, span := range []*mocktracer.MockSpan{s, c} {
		if span.Tag("grpc.metadata.x-tenant") != "a,b" || span.Tag("grpc.metadata.authorization") != "REDACTED" || span.Tag("grpc.metadata.k-bin") != nil || span.Tag("grpc.metadata.absent") != nil {
			t.Errorf("tags %v", span.Tags())
		}
		if got := len(span.Tag("grpc.metadata.long").(string)); got > 256 {
			t.Errorf("a value of %d bytes", got)
		}
	}
}

func TestOwnTagsWin(t *testing.T) {
	own := grpcmw.WithTags(opentracing.Tag{Key: "component", Value: "gRPC"}, opentracing.Tag{Key: "rpc.service", Value: "mine"},
		opentracing.Tag{Key: "rpc.grpc.status_code", Value: "n/a"}, opentracing.Tag{Key: "error", Value: "no"}, opentracing.Tag{Key: "span.kind", Value: "x"})
	tracer, reporter := engine(t, tracerinit.Always())
	grpcmw.UnaryServerInterceptor(tracer, own)(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) { return nil, errPlain })
	seen := map[string]int{}
	for _, tag := range jaeger.BuildJaegerThrift(reporter.GetSpans()[0].(*jaeger.Span)).Tags {
		if seen[tag.Key]++; seen[tag.Key] > 1 {
			t.Errorf("tag %s twice", tag.Key)
		}
	}
	tags := reporter.GetSpans()[0].(*jaeger.Span).Tags()
	if tags["component"] != "gRPC" || tags["rpc.service"] != "mine" || tags["rpc.grpc.status_code"] != "n/a" || tags["error"] != true || tags["span.kind"] != ext.SpanKindRPCServerEnum {
		t.Errorf("tags %v", tags)
	}
	if tags["sampler.type"] != "const" {
		t.Errorf("the sampler's tags are lost: %v", tags)
	}
}

// A span that is sampled only while the RPC runs has the tags of any other.
func TestSpansSampledLate(t *testing.T) {
	tags := func(sampler tracerinit.Sampler) (all [2]map[string]any) {
		tracer, reporter := engine(t, sampler)
		sample := grpcmw.WithOutcome(func(_ context.Context, span opentracing.Span, _ *grpcmw.Outcome) { ext.SamplingPriority.Set(span, 1) })
		cc := testsvc.Start(t, testsvc.Bufconn, &testsvc.Server{}, grpcmw.ServerOptions(tracer, sample), grpcmw.DialOptions(tracer, sample))
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-retry-attempt", "2")
		if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Fatal(err)
		}
		if !eventually(func() bool { return reporter.SpansSubmitted() == 2 }) {
			t.Fatal("spans are missing")
		}
		for _, s := range reporter.GetSpans() {
			got := s.(*jaeger.Span).Tags()
			side := map[any]int{ext.SpanKindRPCClientEnum: 0, ext.SpanKindRPCServerEnum: 1}[got["span.kind"]]
			for _, key := range []string{"sampling.priority", "sampler.type", "sampler.param"} {
				delete(got, key)
			}
			all[side] = got
		}
		return all
	}
	if diff := cmp.Diff(tags(tracerinit.Always()), tags(tracerinit.Never())); diff != "" {
		t.Errorf("-early +late\n%s", diff)
	}
}

func TestDeadlineThatIsSpent(t *testing.T) {
	tracer := spantest.New(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, unaryInfo, unaryHandler)
	if got := only(t, tracer).Tag("grpc.timeout_ms"); got != int64(0) {
		t.Errorf("grpc.timeout_ms is %v", got)
	}
}
