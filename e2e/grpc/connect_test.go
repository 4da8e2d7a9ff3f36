package grpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/spantest"
)

const (
	emptyCall = "/grpc.testing.TestService/EmptyCall"
	unaryCall = "/grpc.testing.TestService/UnaryCall"
	fullDuple = "/grpc.testing.TestService/FullDuplexCall"
)

// http2Only speaks HTTP/2 without TLS.
func http2Only() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: protocols}
}

// TestClientsOfConnectAreTracedAsThoseOfGRPC calls a traced server of grpc-go with connect-go's client in gRPC's protocol.
func TestClientsOfConnectAreTracedAsThoseOfGRPC(t *testing.T) {
	tracer := spantest.New(t)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gs := newInteropServer(grpcmw.ServerOptions(tracer)...)
	served := make(chan error, 1)
	go func() { served <- gs.Serve(lis) }()
	defer func() { gs.Stop(); <-served }()
	transport := http2Only()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	base := "http://" + lis.Addr().String()

	empty := connect.NewClient[testgrpc.Empty, testgrpc.Empty](client, base+emptyCall, connect.WithGRPC())
	req := connect.NewRequest(&testgrpc.Empty{})
	req.Header().Set("mockpfx-ids-traceid", "7")
	req.Header().Set("mockpfx-ids-spanid", "9")
	req.Header().Set("mockpfx-ids-sampled", "true")
	if _, err := empty.CallUnary(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	failing := connect.NewClient[testgrpc.SimpleRequest, testgrpc.SimpleResponse](client, base+unaryCall, connect.WithGRPC())
	_, err = failing.CallUnary(t.Context(), connect.NewRequest(&testgrpc.SimpleRequest{
		ResponseStatus: &testgrpc.EchoStatus{Code: int32(codes.NotFound), Message: "no such thing"},
	}))
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Fatal(err)
	}
	duplex := connect.NewClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse](
		client, base+fullDuple, connect.WithGRPC()).CallBidiStream(t.Context())
	pingPong(t, duplex)

	spans := tracer.Finished()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want 3", len(spans))
	}
	if spans[0].ParentID != 9 || spans[0].OperationName != emptyCall {
		t.Errorf("%s is below %d, want 9", spans[0].OperationName, spans[0].ParentID)
	}
	if got := spans[1]; got.Tag("grpc.code") != "NotFound" || got.Tag("otel.status_description") != "no such thing" {
		t.Errorf("tags %v", got.Tags())
	}
	if got := spans[2]; got.Tag("rpc.messages.received") != 3 || got.Tag("rpc.messages.sent") != 3 || got.Tag("rpc.grpc.status_code") != 0 {
		t.Errorf("tags %v", got.Tags())
	}
}

func pingPong(t *testing.T, s *connect.BidiStreamForClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) {
	t.Helper()
	for range 3 {
		if err := s.Send(&testgrpc.StreamingOutputCallRequest{ResponseParameters: []*testgrpc.ResponseParameters{{Size: 5}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CloseRequest(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("end %v", err)
	}
	s.CloseResponse()
}

// TestConnectServer calls connect-go's handlers with a traced client of grpc-go.
// startConnect starts a server of connect-go for gRPC's test service, which stores the header of a unary call, and
// returns its address.
func startConnect(t *testing.T, header *http.Header) (addr string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(unaryCall, connect.NewUnaryHandler(unaryCall,
		func(_ context.Context, req *connect.Request[testgrpc.SimpleRequest]) (*connect.Response[testgrpc.SimpleResponse], error) {
			*header = req.Header()
			if req.Msg.GetResponseSize() > 0 {
				return nil, connect.NewError(connect.CodeResourceExhausted, errors.New("too large"))
			}
			return connect.NewResponse(&testgrpc.SimpleResponse{}), nil
		}))
	mux.Handle(fullDuple, connect.NewBidiStreamHandler(fullDuple,
		func(_ context.Context, s *connect.BidiStream[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
			for {
				if _, err := s.Receive(); errors.Is(err, io.EOF) {
					return connect.NewError(connect.CodeAborted, errors.New("enough"))
				} else if err != nil {
					return err
				}
				if err := s.Send(&testgrpc.StreamingOutputCallResponse{}); err != nil {
					return err
				}
			}
		}))
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestServersOfConnectAreTracedAsThoseOfGRPC(t *testing.T) {
	tracer := spantest.New(t)
	var header http.Header
	addr := startConnect(t, &header)
	cc, err := grpc.NewClient(addr, append(grpcmw.DialOptions(tracer),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	tc := testgrpc.NewTestServiceClient(cc)
	if _, err := tc.UnaryCall(t.Context(), &testgrpc.SimpleRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := header.Get("Mockpfx-Ids-Spanid"); got == "" {
		t.Errorf("no trace header in %v", header)
	}
	if _, err := tc.UnaryCall(t.Context(), &testgrpc.SimpleRequest{ResponseSize: 1}); status.Code(err) != codes.ResourceExhausted {
		t.Fatal(err)
	}
	s, err := tc.FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Send(&testgrpc.StreamingOutputCallRequest{})
	s.CloseSend()
	for err == nil {
		_, err = s.Recv()
	}
	var seen []any
	for _, s := range tracer.Finished() {
		seen = append(seen, s.Tag("rpc.grpc.status_code"))
		if got := s.Tag("peer.address"); got != addr {
			t.Errorf("peer.address %v", got)
		}
	}
	if len(seen) != 3 || seen[0] != 0 || seen[1] != int(codes.ResourceExhausted) || seen[2] != int(status.Code(err)) || status.Code(err) != codes.Aborted {
		t.Errorf("statuses %v, the stream ended with %v", seen, err)
	}
}
