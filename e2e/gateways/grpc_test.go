package gateways_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// refusing is a backend that answers what check returns, if that is an error.
func refusing(t *testing.T, check func(context.Context, *coltrace.ExportTraceServiceRequest) error, options ...grpc.ServerOption) *sink.GRPC {
	t.Helper()
	return sink.NewGRPC(t, append(options, grpc.UnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := check(ctx, req.(*coltrace.ExportTraceServiceRequest)); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}))...)
}

func takeAll(context.Context, *coltrace.ExportTraceServiceRequest) error { return nil }

func TestAMessageLimitGetsEverySpan(t *testing.T) {
	for _, limit := range []int{64 << 10, 4 << 10, 1200} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			backend := refusing(t, takeAll, grpc.MaxRecvMsgSize(limit))
			s := start(t, overGRPC(named(backend.Addr), otlpgrpc.WithoutCompression()))
			s.all(t, s.send(t, 200), &backend.Taken)
		})
	}
	t.Run("compressed", func(t *testing.T) {
		backend := refusing(t, takeAll, grpc.MaxRecvMsgSize(4<<10))
		s := start(t, overGRPC(named(backend.Addr)))
		s.all(t, s.send(t, 200), &backend.Taken)
	})
}

func TestCompressionThatIsRefused_gRPC(t *testing.T) {
	plainOnly := func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error {
		stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ RecvCompress() string })
		if ok && stream.RecvCompress() != "" {
			return status.Error(codes.Unimplemented, `grpc: Decompressor is not installed for grpc-encoding "gzip"`)
		}
		return nil
	}
	t.Run("by default", func(t *testing.T) {
		backend := refusing(t, plainOnly)
		s := start(t, overGRPC(named(backend.Addr)))
		s.all(t, s.send(t, 100), &backend.Taken)
	})
	t.Run("by option", func(t *testing.T) {
		backend := refusing(t, plainOnly)
		s := start(t, overGRPC(named(backend.Addr), otlpgrpc.WithCompression()))
		if got := s.send(t, 100); got.Dropped.Refused != 100 || !strings.Contains(got.LastError, "WithCompression") {
			t.Errorf("%+v", got)
		}
	})
}

func TestABusyInstanceIsLeft_gRPC(t *testing.T) {
	var mu sync.Mutex
	busy := ""
	backend := refusing(t, func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error {
		mu.Lock()
		defer mu.Unlock()
		p, _ := peer.FromContext(ctx)
		if busy == "" {
			busy = p.Addr.String()
		}
		if busy == p.Addr.String() {
			return status.Error(codes.Unavailable, "busy")
		}
		return nil
	})
	s := start(t, overGRPC(named(backend.Addr)))
	got := s.send(t, 50)
	if s.all(t, got, &backend.Taken); got.Failures != 1 {
		t.Errorf("%d failures", got.Failures)
	}
}

func TestAPoisonousBatchHoldsUpNoOther_gRPC(t *testing.T) {
	refused := func(d tracerinit.Dropped) uint64 { return d.Refused }
	for code, drops := range map[codes.Code]func(tracerinit.Dropped) uint64{
		codes.InvalidArgument: refused, codes.Internal: refused, codes.Unknown: refused,
		codes.Unavailable: nil, codes.DeadlineExceeded: nil, codes.Aborted: nil, codes.DataLoss: nil,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			backend := refusing(t, func(_ context.Context, r *coltrace.ExportTraceServiceRequest) error {
				if strings.Contains(r.String(), poison) {
					return status.Error(code, "no")
				}
				return nil
			})
			poisoned(t, start(t, overGRPC(named(backend.Addr))), &backend.Taken, drops)
		})
	}
}

// A gateway for HTTP stands where gRPC is spoken.
func TestAPageIsNoReceipt_gRPC(t *testing.T) {
	backend := sink.NewHTTP(t)
	backend.Misbehave(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!DOCTYPE html><html></html>") })
	s := start(t, otlpgrpc.New("http://"+named(strings.TrimPrefix(backend.URL, "http://")),
		otlpgrpc.WithRetry(tracerinit.Retry{Limit: -1})))
	got := s.send(t, 10)
	if got.Delivered != 0 || !strings.Contains(got.LastError, "http/protobuf") {
		t.Errorf("%+v", got)
	}
}
