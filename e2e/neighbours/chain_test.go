package neighbours_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
)

// hop is one service of a chain: it takes a call, does its work, and calls the next.
type hop struct {
	party
	work func(ctx context.Context) context.Context // may be nil
	next func(ctx context.Context) error           // nil: the last
}

func (h *hop) serve(ctx context.Context) error {
	if h.work != nil {
		ctx = h.work(ctx)
	}
	if h.next == nil {
		return nil
	}
	return h.next(ctx)
}

// wire is how services call each other.
type wire interface {
	// listen serves h until the test ends and returns a function by which a caller, the party from, calls it.
	// Carrier headers go along with a call of a plain caller, from == nil.
	listen(t *testing.T, h *hop) (call func(from party, header map[string]string) func(context.Context) error)
}

type overHTTP struct{}

func (overHTTP) listen(t *testing.T, h *hop) func(party, map[string]string) func(context.Context) error {
	server := httptest.NewServer(h.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.serve(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})))
	t.Cleanup(server.Close)
	return func(from party, header map[string]string) func(context.Context) error {
		base := &http.Transport{}
		t.Cleanup(base.CloseIdleConnections)
		client := &http.Client{Transport: base}
		if from != nil {
			client.Transport = from.transport(base)
		}
		return func(ctx context.Context) error { return get(ctx, client, server.URL, header) }
	}
}

func get(ctx context.Context, client *http.Client, url string, header map[string]string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return err
}

type overGRPC struct{}

type inventory struct {
	inventorypb.UnimplementedInventoryServer
	hop *hop
}

func (s inventory) GetStock(ctx context.Context, _ *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	return &inventorypb.Stock{}, s.hop.serve(ctx)
}

// Negotiate serves a call inside a stream.
func (s inventory) Negotiate(stream grpc.BidiStreamingServer[inventorypb.Offer, inventorypb.Offer]) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := s.hop.serve(stream.Context()); err != nil {
		return err
	}
	return stream.Send(&inventorypb.Offer{})
}

func (overGRPC) listen(t *testing.T, h *hop) func(party, map[string]string) func(context.Context) error {
	conns := grpcListen(t, h)
	return func(from party, header map[string]string) func(context.Context) error {
		client := conns(from)
		return func(ctx context.Context) error {
			_, err := client.GetStock(withHeader(ctx, header), &inventorypb.GetStockRequest{})
			return err
		}
	}
}

type overStreams struct{}

func (overStreams) listen(t *testing.T, h *hop) func(party, map[string]string) func(context.Context) error {
	conns := grpcListen(t, h)
	return func(from party, header map[string]string) func(context.Context) error {
		client := conns(from)
		return func(ctx context.Context) error {
			stream, err := client.Negotiate(withHeader(ctx, header))
			if err != nil {
				return err
			}
			_ = stream.Send(&inventorypb.Offer{})
			_ = stream.CloseSend()
			for {
				if _, err := stream.Recv(); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
			}
		}
	}
}

func withHeader(ctx context.Context, header map[string]string) context.Context {
	for key, value := range header {
		ctx = metadata.AppendToOutgoingContext(ctx, key, value)
	}
	return ctx
}

func grpcListen(t *testing.T, h *hop) (conns func(from party) inventorypb.InventoryClient) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(h.serverOptions()...)
	inventorypb.RegisterInventoryServer(server, inventory{hop: h})
	go server.Serve(lis)
	t.Cleanup(server.Stop)
	return func(from party) inventorypb.InventoryClient {
		options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
		if from != nil {
			options = append(options, from.dialOptions()...)
		}
		conn, err := grpc.NewClient(lis.Addr().String(), options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return inventorypb.NewInventoryClient(conn)
	}
}

// connect makes a chain of the hops and returns the call of its first by a plain client that sends header.
func connect(t *testing.T, w wire, header map[string]string, hops ...*hop) (call func(context.Context) error) {
	t.Helper()
	for i := len(hops) - 1; i > 0; i-- {
		hops[i-1].next = w.listen(t, hops[i])(hops[i-1].party, nil)
	}
	return w.listen(t, hops[0])(nil, header)
}

// run calls the chain once.
func run(t *testing.T, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := call(ctx); err != nil {
		t.Fatal(err)
	}
}

// joined waits for the spans of all hops, and checks that they are one trace, each the child of the one before it:
// server, client, server …. parent is that of the first, or "". It returns the trace id.
func joined(t *testing.T, parent string, hops ...*hop) (trace string) {
	t.Helper()
	for i, h := range hops {
		want := []string{"server", "client"}
		if i == len(hops)-1 {
			want = want[:1]
		}
		spans := ended(t, h, len(want))
		for _, kind := range want {
			s, ok := find(spans, kind)
			if !ok || len(spans) != len(want) {
				t.Fatalf("hop %d: no %s span, or others besides: %+v", i, kind, spans)
			}
			if trace == "" {
				trace = s.trace
			}
			if s.trace != trace || s.parent != parent {
				t.Errorf("hop %d: %s span of trace %s with parent %q, want %s and %q", i, kind, s.trace, s.parent, trace, parent)
			}
			parent = s.id
		}
	}
	return trace
}

func find(spans []span, kind string) (span, bool) {
	for _, s := range spans {
		if s.kind == kind {
			return s, true
		}
	}
	return span{}, false
}

// ended waits for n spans: some end after the answer has reached the caller.
func ended(t *testing.T, h *hop, n int) (spans []span) {
	t.Helper()
	wait.For(t, fmt.Sprint(n, " spans"), func() (any, bool) {
		spans = h.recorded()
		return spans, len(spans) >= n
	})
	return spans
}
