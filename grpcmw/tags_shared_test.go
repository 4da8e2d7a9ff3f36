package grpcmw_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

func connectionTo(t *testing.T, target string) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// RPCs of one method that succeed share memory for their tags. One that differs must neither get nor change these.
// invoke is an invoker that sets tags of its span and returns err.
func invoke(err error, tags ...string) grpc.UnaryInvoker {
	return func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		for _, key := range tags {
			opentracing.SpanFromContext(ctx).SetTag(key, "x")
		}
		return err
	}
}

// textsOf are the tags of a span as texts, without that of a tag whose value may be any: want has "" for it.
func textsOf(span opentracing.Span, want map[string]string) map[string]string {
	got := map[string]string{}
	for k, v := range span.(*jaeger.Span).Tags() {
		if got[k] = fmt.Sprint(v); want[k] == "" {
			got[k] = ""
		}
	}
	return got
}

func TestRPCsHaveTheirOwnTags(t *testing.T) {
	first, second := connectionTo(t, "passthrough:///first:1"), connectionTo(t, "passthrough:///second:2")
	usual := map[string]string{
		"span.kind": "client", "component": "grpc", "rpc.system": "grpc", "rpc.service": "spanloom.test.Echo",
		"rpc.method": "Say", "grpc.type": "unary", "rpc.grpc.status_code": "0", "peer.address": "first:1",
	}
	for name, tt := range map[string]struct {
		cc       *grpc.ClientConn
		deadline time.Duration
		metadata []string
		invoke   grpc.UnaryInvoker
		differs  map[string]string // "": is there, with any value
	}{
		"no difference": {differs: map[string]string{}},
		"server":        {cc: second, differs: map[string]string{"peer.address": "second:2"}},
		"failure": {
			invoke: invoke(status.Error(codes.NotFound, "no such thing")),
			differs: map[string]string{
				"rpc.grpc.status_code": "5", "grpc.code": "NotFound", "error": "true", "error.type": "NOT_FOUND",
				"otel.status_description": "no such thing",
			},
		},
		"deadline": {deadline: time.Hour, differs: map[string]string{"grpc.timeout_ms": ""}},
		"retry":    {metadata: []string{"x-retry-attempt", "1"}, differs: map[string]string{"grpc.attempt": "2"}},
		"tag":      {invoke: invoke(nil, "mine"), differs: map[string]string{"mine": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			reporter := jaeger.NewInMemoryReporter()
			tracer := reportTo(t, tracerinit.Always(), reporter)
			call := grpcmw.UnaryClientInterceptor(tracer)
			ctx := opentracing.ContextWithSpan(t.Context(), testspans.Start(t, tracer, "parent"))
			odd := metadata.AppendToOutgoingContext(ctx, tt.metadata...)
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				odd, cancel = context.WithTimeout(odd, tt.deadline)
				defer cancel()
			}
			if tt.cc == nil {
				tt.cc = first
			}
			if tt.invoke == nil {
				tt.invoke = invoke(nil)
			}
			different := maps.Clone(usual)
			maps.Copy(different, tt.differs)
			want := []map[string]string{usual, usual, different, usual, different, usual}
			for i := range want {
				if i == 2 || i == 4 {
					call(odd, testsvc.Say, nil, nil, tt.cc, tt.invoke)
				} else {
					call(ctx, testsvc.Say, nil, nil, first, invoke(nil))
				}
			}
			for i, span := range reporter.GetSpans() { // once all have ended
				if diff := cmp.Diff(want[i], textsOf(span, different)); diff != "" {
					t.Errorf("span %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}
