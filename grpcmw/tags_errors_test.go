package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestTheErrorPolicyHoldsForAllCodes goes through all codes on both sides.
func TestTheErrorPolicyHoldsForAllCodes(t *testing.T) {
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
	st, ct := callBoth(t, err, server, client)
	return only(t, st), only(t, ct)
}

// callOnceDespitePanics is callOnce with hooks that panic.
func callOnceDespitePanics(t *testing.T, server []grpcmw.ServerOption, client []grpcmw.ClientOption) (s, c *mocktracer.MockSpan) {
	t.Helper()
	st, ct := callBoth(t, nil, server, client)
	return onlyDespitePanics(t, st), onlyDespitePanics(t, ct)
}

func callBoth(t *testing.T, err error, server []grpcmw.ServerOption, client []grpcmw.ClientOption) (st, ct *spantest.Tracer) {
	t.Helper()
	st, ct = spantest.New(t), spantest.New(t)
	_, got := grpcmw.UnaryServerInterceptor(st, server...)(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) { return nil, err })
	if got != err {
		t.Errorf("the server's error changed from %v to %v", err, got)
	}
	got = grpcmw.UnaryClientInterceptor(ct, client...)(t.Context(), testsvc.Say, nil, nil, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return err })
	if got != err {
		t.Errorf("the client's error changed from %v to %v", err, got)
	}
	return st, ct
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

func TestOddErrorsHaveAStatus(t *testing.T) {
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
		t.Run(fmt.Sprint(tt.err), func(t *testing.T) {
			s, c := callOnce(t, tt.err, nil, nil)
			if s.Tag("rpc.grpc.status_code") != int(tt.want) || c.Tag("rpc.grpc.status_code") != int(tt.want) {
				t.Errorf("%T: status %v and %v, want %d", tt.err, s.Tag("rpc.grpc.status_code"), c.Tag("rpc.grpc.status_code"), tt.want)
			}
		})
	}
	s, _ := callOnce(t, status.Error(codes.Internal, strings.Repeat("x", 1<<16)), nil, nil)
	if got := len(s.Logs()[0].Fields[2].ValueString); got > 2048 {
		t.Errorf("a message of %d bytes", got)
	}
}

func TestOTelErrors(t *testing.T) {
	for code, want := range map[codes.Code]string{codes.NotFound: "NOT_FOUND", codes.Unavailable: "UNAVAILABLE", codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.Canceled: "CANCELLED", codes.Code(99): "UNKNOWN"} {
		t.Run(code.String(), func(t *testing.T) {
			otel := grpcmw.WithSemconv(grpcmw.OTel)
			_, c := callOnce(t, status.Error(code, "x"), []grpcmw.ServerOption{otel}, []grpcmw.ClientOption{otel})
			if c.Tag("rpc.response.status_code") != want {
				t.Errorf("status %v, want %s", c.Tag("rpc.response.status_code"), want)
			}
			if c.Tag("error") == true && c.Tag("error.type") != want {
				t.Errorf("error.type %v, want %s", c.Tag("error.type"), want)
			}
		})
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
