package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
)

// credentials are those of one RPC, or the reason why there are none.
type credentials struct{ err error }

func (c credentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"token": "of the call"}, c.err
}

func (credentials) RequireTransportSecurity() bool { return false }

// statusless is an error whose method returns no status.
type statusless struct{}

func (statusless) Error() string              { return "no status" }
func (statusless) GRPCStatus() *status.Status { return nil }

// eachStatus fails with the error that the request names.
var eachStatus = map[string]error{
	"code 17": status.Error(17, "seventeen"), "code 503": status.Error(503, "as HTTP"), "wrapped": fmt.Errorf("around: %w", errDetailed),
	"joined": errors.Join(errPlain, errDetailed), "claims OK": claimsOK{}, "wraps a claim": fmt.Errorf("around: %w", claimsOK{}), "statusless": statusless{},
	"cancel": context.Canceled, "long": status.Error(codes.Internal, strings.Repeat("\u00e9", 3000)), "odd bytes": status.Error(codes.Internal, "a\x00\nb\xff%41"), "empty": status.Error(codes.Internal, ""),
}

// held answers streams with one message, and then waits for the end of the context.
func held() *testsvc.Server {
	return &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
		ss.SendMsg(testsvc.Text("one"))
		<-ss.Context().Done()
		return ss.Context().Err()
	}}
}

// interrupted opens a stream of held, receives its message, interrupts it, and receives twice more.
func interrupted(interrupt func(cancel context.CancelFunc, cc *grpc.ClientConn)) func(context.Context, *transcript, *grpc.ClientConn) {
	return func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
		tr.err("open", err)
		tr.err("receive", cs.RecvMsg(new(testsvc.Msg)))
		interrupt(cancel, cc)
		for range 2 {
			tr.err("receive", cs.RecvMsg(new(testsvc.Msg)))
		}
		tr.md("trailer", cs.Trailer())
	}
}

// withOptions makes RPCs with call options.
func withOptions(options ...grpc.CallOption) func(context.Context, *transcript, *grpc.ClientConn) {
	return func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		finished := 0
		options := append(options, grpc.OnFinish(func(err error) { finished++; tr.err("finish", err) }))
		out := new(testsvc.Msg)
		tr.err("unary", cc.Invoke(ctx, testsvc.Say, testsvc.Text(strings.Repeat("x", 100)), out, options...))
		tr.add("answer %q, finished %d", out.Value, finished)
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat, options...)
		if tr.err("open", err); err != nil {
			return
		}
		tr.err("send", cs.SendMsg(testsvc.Text(strings.Repeat("x", 100))))
		for range 2 {
			tr.err("receive", cs.RecvMsg(out))
			cs.CloseSend()
		}
		tr.add("finished %d", finished)
	}
}

// transparencyOfCalls is about the options of calls, the ways in which streams end, and kinds of errors.
var transparencyOfCalls = []transparencyRow{
	{"no call options", noting(), withOptions()},
	{"call options", noting(), withOptions(grpc.WaitForReady(true), grpc.StaticMethod(), grpc.CallContentSubtype("proto"))},
	{"compression", &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		names, err := grpc.ClientSupportedCompressors(ctx)
		return testsvc.Text(fmt.Sprint(names, err, grpc.SetSendCompressor(ctx, "gzip"))), nil
	}}, withOptions(grpc.UseCompressor("gzip"))},
	{"unknown compression", nil, withOptions(grpc.UseCompressor("unknown"))},
	{"too large to send", nil, withOptions(grpc.MaxCallSendMsgSize(10))},
	{"too large to receive", nil, withOptions(grpc.MaxCallRecvMsgSize(10))},
	{"credentials", noting(), withOptions(grpc.PerRPCCredentials(credentials{}))},
	{"no credentials", noting(), withOptions(grpc.PerRPCCredentials(credentials{errPlain}))},
	{"denied credentials", noting(), withOptions(grpc.PerRPCCredentials(credentials{status.Error(codes.Unauthenticated, "denied")}))},
	{"cancelled in the middle", held(), interrupted(func(cancel context.CancelFunc, _ *grpc.ClientConn) { cancel() })},
	{"closed in the middle", held(), interrupted(func(_ context.CancelFunc, cc *grpc.ClientConn) { cc.Close() })},
	{"unencodable", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.err("unary", cc.Invoke(ctx, testsvc.Say, "no message", new(testsvc.Msg)))
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
		tr.err("open", err)
		tr.err("send", cs.SendMsg("no message"))
		tr.err("receive", cs.RecvMsg(new(testsvc.Msg)))
	}},
	{"undecodable", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.err("unary", cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), "no message"))
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
		tr.err("open", err)
		tr.err("send", cs.SendMsg(testsvc.Text("x")))
		tr.err("receive", cs.RecvMsg("no message"))
	}},
	{"every status", &testsvc.Server{
		Say: func(_ context.Context, in *testsvc.Msg) (*testsvc.Msg, error) { return in, eachStatus[in.Value] },
		Stream: func(_ string, ss grpc.ServerStream) error {
			in := new(testsvc.Msg)
			ss.RecvMsg(in)
			return eachStatus[in.Value]
		},
	}, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		for name := range eachStatus {
			one := &transcript{}
			one.say(ctx, cc, testsvc.Say, name)
			one.stream(ctx, cc, testsvc.Chat, name)
			tr.add("%s: %s", name, strings.Join(one.lines, "; "))
		}
		slices.Sort(tr.lines)
	}},
}
