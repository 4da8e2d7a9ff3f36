package grpcmw_test

import (
	"context"
	"errors"
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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

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
		tracer := spantest.New(t)
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("grpc-previous-rpc-attempts", v))
		grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, unaryInfo, unaryHandler)
		if got := only(t, tracer).Tag("grpc.attempt"); got != nil {
			t.Errorf("%q recorded as %v", v, got)
		}
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

func TestMetadataTags(t *testing.T) {
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

// TestErrorPolicy goes through all codes on both sides.
func TestErrorPolicy(t *testing.T) {
	serverFails := map[codes.Code]bool{codes.Unknown: true, codes.DeadlineExceeded: true, codes.Unimplemented: true,
		codes.Internal: true, codes.Unavailable: true, codes.DataLoss: true}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		err := status.Error(code, "told so")
		s, c := callOnce(t, err, nil, nil)
		if got := s.Tag("error") == true; got != serverFails[code] {
			t.Errorf("server, %v: error %v", code, got)
		}
		if got, want := c.Tag("error") == true, code != codes.OK && code != codes.Canceled; got != want {
			t.Errorf("client, %v: error %v", code, got)
		}
		for _, span := range []*mocktracer.MockSpan{s, c} {
			if span.Tag("rpc.grpc.status_code") != int(code) {
				t.Errorf("%v: status %v", code, span.Tag("rpc.grpc.status_code"))
			}
			if want := map[bool]any{true: nil, false: code.String()}[code == codes.OK]; span.Tag("grpc.code") != want {
				t.Errorf("%v: grpc.code %v", code, span.Tag("grpc.code"))
			}
			checkLog(t, span, code.String(), "told so")
		}
	}
	policy := grpcmw.WithErrorPolicy(func(m string, client bool, c codes.Code) bool {
		return m == testsvc.Say && !client && c == codes.NotFound
	})
	if s, c := callOnce(t, status.Error(codes.NotFound, ""), []grpcmw.ServerOption{policy}, []grpcmw.ClientOption{policy}); s.Tag("error") != true || c.Tag("error") != nil {
		t.Errorf("policy not followed: %v, %v", s.Tag("error"), c.Tag("error"))
	}
}

// checkLog wants one event=error on a failed span and none on another.
func checkLog(t *testing.T, span *mocktracer.MockSpan, kind, message string) {
	t.Helper()
	if span.Tag("error") == nil {
		if len(span.Logs()) != 0 {
			t.Errorf("%d logs on a span that did not fail", len(span.Logs()))
		}
		return
	}
	if len(span.Logs()) != 1 {
		t.Errorf("%d logs, want 1", len(span.Logs()))
		return
	}
	fields := map[string]string{}
	for _, f := range span.Logs()[0].Fields {
		fields[f.Key] = f.ValueString
	}
	if fields["event"] != "error" || fields["error.kind"] != kind || fields["message"] != message {
		t.Errorf("log %v", fields)
	}
}

// callOnce calls both interceptors with the same outcome, without a network.
func callOnce(t *testing.T, err error, server []grpcmw.ServerOption, client []grpcmw.ClientOption) (s, c *mocktracer.MockSpan) {
	t.Helper()
	st, ct := spantest.New(t), spantest.New(t)
	_, got := grpcmw.UnaryServerInterceptor(st, server...)(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) { return nil, err })
	if got != err {
		t.Errorf("the server's error changed from %v to %v", err, got)
	}
	got = grpcmw.UnaryClientInterceptor(ct, client...)(t.Context(), testsvc.Say, nil, nil, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return err })
	if got != err {
		t.Errorf("the client's error changed from %v to %v", err, got)
	}
	return only(t, st), only(t, ct)
}

type typedNil struct{ text string }

func (e *typedNil) Error() string { return e.text }

// claimsOK is an error whose status says that there is none.
type claimsOK struct{}

func (claimsOK) Error() string              { return "failed all the same" }
func (claimsOK) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

type panickyStatus struct{}

func (panickyStatus) Error() string              { panic("no text") }
func (panickyStatus) GRPCStatus() *status.Status { panic("no status") }

func TestOddErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want codes.Code
	}{
		{errPlain, codes.Unknown},
		{context.Canceled, codes.Canceled},
		{fmt.Errorf("slow: %w", context.DeadlineExceeded), codes.DeadlineExceeded},
		{fmt.Errorf("wrapped: %w", errDetailed), codes.NotFound},
		{errors.Join(errPlain, errDetailed), codes.NotFound},
		{(*typedNil)(nil), codes.Unknown},
		{panickyStatus{}, codes.Unknown},
		{status.Error(codes.Code(17), "no such code"), codes.Unknown},
		{status.Error(codes.Code(503), "of httpgrpc"), codes.Unknown},
		{status.Error(codes.Code(1<<32-1), "the last"), codes.Unknown},
		{claimsOK{}, codes.Unknown},
	} {
		s, c := callOnce(t, tt.err, nil, nil)
		if s.Tag("rpc.grpc.status_code") != int(tt.want) || c.Tag("rpc.grpc.status_code") != int(tt.want) {
			t.Errorf("%T: status %v and %v, want %d", tt.err, s.Tag("rpc.grpc.status_code"), c.Tag("rpc.grpc.status_code"), tt.want)
		}
	}
	s, _ := callOnce(t, status.Error(codes.Internal, strings.Repeat("x", 1<<16)), nil, nil)
	if got := len(s.Logs()[0].Fields[2].ValueString); got > 2048 {
		t.Errorf("a message of %d bytes", got)
	}
}

func TestOTelErrors(t *testing.T) {
	for code, want := range map[codes.Code]string{codes.NotFound: "NOT_FOUND", codes.Unavailable: "UNAVAILABLE", codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.Canceled: "CANCELLED", codes.Code(99): "UNKNOWN"} {
		otel := grpcmw.WithSemconv(grpcmw.OTel)
		_, c := callOnce(t, status.Error(code, "x"), []grpcmw.ServerOption{otel}, []grpcmw.ClientOption{otel})
		if c.Tag("rpc.response.status_code") != want {
			t.Errorf("status %v, want %s", c.Tag("rpc.response.status_code"), want)
		}
		if c.Tag("error") == true && c.Tag("error.type") != want {
			t.Errorf("error.type %v, want %s", c.Tag("error.type"), want)
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

// TestHandlersMayMarkTheError has a handler that tags its span as it always did.
func TestHandlersMayMarkTheError(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	grpcmw.UnaryServerInterceptor(tracer)(t.Context(), nil, unaryInfo, func(ctx context.Context, _ any) (any, error) {
		ext.Error.Set(opentracing.SpanFromContext(ctx), true)
		return nil, errPlain
	})
	n := 0
	for _, tag := range jaeger.BuildJaegerThrift(reporter.GetSpans()[0].(*jaeger.Span)).Tags {
		if tag.Key == "error" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("error is set %d times", n)
	}
}

// TestTargetsOfAllKinds looks at the callee of calls that did not reach it.
func TestTargetsOfAllKinds(t *testing.T) {
	for target, want := range map[string]string{
		"shop:50051": "shop:50051", "dns:shop:50051": "shop:50051", "dns:///shop:50051": "shop:50051", "dns://1.1.1.1/shop:50051": "shop:50051",
		"passthrough:///shop": "shop", "[::1]:50051": "[::1]:50051", "unix:///run/s.sock": "/run/s.sock", "unix:s.sock": "s.sock",
	} {
		tracer := spantest.New(t)
		cc, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer cc.Close()
		fails := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return errPlain }
		grpcmw.UnaryClientInterceptor(tracer)(t.Context(), testsvc.Say, nil, nil, cc, fails)
		if got := only(t, tracer).Tag("peer.address"); got != want {
			t.Errorf("%s: peer.address %v, want %s", target, got, want)
		}
	}
}

func TestPeersOfAllKinds(t *testing.T) {
	for _, addr := range []net.Addr{nil, &net.UnixAddr{Name: "@x", Net: "unix"}, &net.TCPAddr{IP: net.IPv6loopback, Port: 1}} {
		tracer := spantest.New(t)
		ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: addr})
		grpcmw.UnaryServerInterceptor(tracer, grpcmw.WithSemconv(grpcmw.Both))(ctx, nil, unaryInfo, unaryHandler)
		span := only(t, tracer)
		if want := map[bool]any{true: nil}[addr == nil]; addr == nil && span.Tag("peer.address") != want || addr != nil && span.Tag("peer.address") != addr.String() {
			t.Errorf("%v: peer.address %v", addr, span.Tag("peer.address"))
		}
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

// Of several servers behind one target, a span names the one that answered.
func TestPeerIsTheServerThatAnswered(t *testing.T) {
	var addresses []resolver.Address
	names := map[string]string{}
	for _, name := range []string{"a", "b"} {
		srv := &testsvc.Server{Say: func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { return testsvc.Text(name), nil }}
		target := strings.TrimPrefix(testsvc.Start(t, testsvc.TCP, srv, nil, nil).Target(), "dns:///")
		addresses = append(addresses, resolver.Address{Addr: target})
		names[target] = name
	}
	servers := manual.NewBuilderWithScheme("several")
	servers.InitialState(resolver.State{Addresses: addresses})
	tracer := spantest.New(t)
	cc, err := grpc.NewClient("several:///any", append(grpcmw.DialOptions(tracer), grpc.WithResolvers(servers),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	met := map[string]bool{}
	for i := 0; i < 100 && len(met) < 2; i++ {
		var answer testsvc.Msg
		if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("who?"), &answer, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
		met[answer.GetValue()] = true
		span := tracer.Finished()[i]
		if peer, _ := span.Tag("peer.address").(string); names[peer] != answer.GetValue() {
			t.Errorf("%s answered, but the peer is %v", answer.GetValue(), peer)
		}
	}
	if len(met) != 2 {
		t.Errorf("only %v answered", met)
	}
}
