package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type text = wrapperspb.StringValue

// connectHandlers are a unary procedure and a stream of each kind.
func connectHandlers(w *world) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/t.Echo/Unary", connect.NewUnaryHandler("/t.Echo/Unary",
		func(_ context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
			w.saw("server", "%s %s %s", req.Peer().Protocol, req.Spec().Procedure, req.Header().Get("X-In"))
			if req.Msg.GetValue() == "fail" {
				err := connect.NewError(connect.CodeNotFound, errors.New("no such thing"))
				err.Meta().Set("X-Why", "because")
				return nil, err
			}
			resp := connect.NewResponse(wrapperspb.String("hello " + req.Msg.GetValue()))
			resp.Header().Set("X-Out", "1")
			resp.Trailer().Set("X-End", "2")
			return resp, nil
		}))
	mux.Handle("/t.Echo/Server", connect.NewServerStreamHandler("/t.Echo/Server",
		func(_ context.Context, req *connect.Request[text], s *connect.ServerStream[text]) error {
			for i := range 3 {
				if err := s.Send(wrapperspb.String(fmt.Sprint(req.Msg.GetValue(), i))); err != nil {
					return err
				}
			}
			s.ResponseTrailer().Set("X-End", "3")
			if req.Msg.GetValue() == "fail" {
				return connect.NewError(connect.CodeAborted, errors.New("in the middle"))
			}
			return nil
		}))
	mux.Handle("/t.Echo/Bidi", connect.NewBidiStreamHandler("/t.Echo/Bidi",
		func(_ context.Context, s *connect.BidiStream[text, text]) error {
			for {
				m, err := s.Receive()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err == nil {
					err = s.Send(m)
				}
				if err != nil {
					return err
				}
			}
		}))
	return mux
}

func TestConnectWorksAsBare(t *testing.T) {
	for proto, options := range map[string][]connect.ClientOption{
		"connect": nil, "get": {connect.WithHTTPGet()}, "json": {connect.WithProtoJSON()}, "gzip": {connect.WithSendGzip()},
		"grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()},
	} {
		t.Run(proto, func(t *testing.T) {
			equal(t, func(w *world) {
				server, client := w.tlsServer(connectHandlers(w))
				call := func(procedure string) *connect.Client[text, text] {
					return connect.NewClient[text, text](client, server.URL+procedure, options...)
				}
				for _, value := range []string{"you", "fail"} {
					w.callUnary(call("/t.Echo/Unary"), value)
					w.callServer(call("/t.Echo/Server"), value)
				}
				w.callBidi(call("/t.Echo/Bidi"))
			})
		})
	}
}

func (w *world) sawError(err error) {
	var c *connect.Error
	if errors.As(err, &c) {
		w.saw("client", "%v %s %v", c.Code(), c.Message(), fields(c.Meta()))
		return
	}
	w.saw("client", "%v", err)
}

func (w *world) callUnary(client *connect.Client[text, text], value string) {
	req := connect.NewRequest(wrapperspb.String(value))
	req.Header().Set("X-In", "0")
	resp, err := client.CallUnary(w.t.Context(), req)
	if err != nil {
		w.sawError(err)
		return
	}
	w.saw("client", "%s %v %v", resp.Msg.GetValue(), fields(resp.Header()), fields(resp.Trailer()))
}

func (w *world) callServer(client *connect.Client[text, text], value string) {
	stream, err := client.CallServerStream(w.t.Context(), connect.NewRequest(wrapperspb.String(value)))
	if err != nil {
		w.sawError(err)
		return
	}
	for stream.Receive() {
		w.saw("client", "%s", stream.Msg().GetValue())
	}
	w.sawError(stream.Err())
	w.saw("client", "%v", fields(stream.ResponseTrailer()))
	w.saw("client", "%v", stream.Close())
}

func (w *world) callBidi(client *connect.Client[text, text]) {
	stream := client.CallBidiStream(w.t.Context())
	for i := range 3 {
		w.saw("client", "%v", stream.Send(wrapperspb.String(fmt.Sprint(i))))
		m, err := stream.Receive()
		w.saw("client", "%s %v", m.GetValue(), err)
	}
	w.saw("client", "%v", stream.CloseRequest())
	_, err := stream.Receive()
	w.saw("client", "%v", errors.Is(err, io.EOF))
	w.saw("client", "%v", stream.CloseResponse())
}

type question struct{ Name string }

type answer struct{ Text string }

// TestMCP: a streamable HTTP server and its client, with the stream of server-sent events that stays open.
func TestMCP(t *testing.T) {
	for name, stateless := range map[string]bool{"stateful": false, "stateless": true} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
				mcp.AddTool(server, &mcp.Tool{Name: "greet"},
					func(ctx context.Context, r *mcp.CallToolRequest, q question) (*mcp.CallToolResult, answer, error) {
						if q.Name == "" {
							return nil, answer{}, errors.New("who?")
						}
						err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: "p", Progress: 1})
						w.saw("server", "%s %v", q.Name, err)
						return nil, answer{"hello " + q.Name}, nil
					})
				handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
					&mcp.StreamableHTTPOptions{Stateless: stateless})
				w.talk(w.server(handler).URL, stateless)
			})
		})
	}
}

func (w *world) talk(url string, stateless bool) {
	client := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			w.saw("progress", "%v", r.Params.Progress)
		},
	})
	transport := &mcp.StreamableClientTransport{
		Endpoint: url, HTTPClient: w.client(&http.Transport{}), DisableStandaloneSSE: stateless,
	}
	session, err := client.Connect(w.t.Context(), transport, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"you", ""} {
		result, err := session.CallTool(w.t.Context(), &mcp.CallToolParams{Name: "greet", Arguments: question{name}})
		if err != nil {
			w.saw("client", "%v", err)
			continue
		}
		w.saw("client", "%v %v", result.IsError, result.StructuredContent)
	}
	tools, err := session.ListTools(w.t.Context(), nil)
	w.saw("client", "%d tools, %v", len(tools.Tools), err)
	w.saw("client", "closed: %v", session.Close())
}
