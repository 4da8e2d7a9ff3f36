package neighbours_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/tracerinit"
)

const nodeBaggage = "ü ; , = \" 100%+"

// nodeMiddle is the service with this kit that stands between two in Node. Chains pass through it one at a time.
type nodeMiddle struct {
	ours
	http, grpc string // where it listens

	mu   sync.Mutex
	next func(ctx context.Context) error
	sc   jaeger.SpanContext // of the server span of the last request
}

// startMiddle serves over both wires. Its own sampler is against the caller's decision, which it must obey.
func startMiddle(t *testing.T, sampled bool, config carrier.Config) *nodeMiddle {
	t.Helper()
	sampler := tracerinit.Always()
	if sampled {
		sampler = tracerinit.Never()
	}
	m := &nodeMiddle{ours: newOurs(t, sampler, config).(ours)}
	server := httptest.NewServer(m.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := m.serve(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})))
	t.Cleanup(server.Close)
	m.http = server.URL
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rpc := grpc.NewServer(m.serverOptions()...)
	inventorypb.RegisterInventoryServer(rpc, middleInventory{middle: m})
	go rpc.Serve(lis)
	t.Cleanup(rpc.Stop)
	m.grpc = lis.Addr().String()
	return m
}

type middleInventory struct {
	inventorypb.UnimplementedInventoryServer
	middle *nodeMiddle
}

func (s middleInventory) GetStock(ctx context.Context, _ *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	return &inventorypb.Stock{}, s.middle.serve(ctx)
}

func (m *nodeMiddle) serve(ctx context.Context) error {
	m.mu.Lock()
	m.sc, _ = opentracing.SpanFromContext(ctx).Context().(jaeger.SpanContext)
	next := m.next
	m.mu.Unlock()
	return next(ctx)
}

// callHTTP and callGRPC call a service in Node.
func (m *nodeMiddle) callHTTP(t *testing.T, url string) func(context.Context) error {
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	client := &http.Client{Transport: m.transport(base)}
	return func(ctx context.Context) error { return get(ctx, client, url, nil) }
}

func (m *nodeMiddle) callGRPC(t *testing.T, target string) func(context.Context) error {
	options := append(m.dialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("passthrough:///"+target, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return func(ctx context.Context) error {
		_, err := inventorypb.NewInventoryClient(conn).GetStock(ctx, &inventorypb.GetStockRequest{})
		return err
	}
}

// TestChainsThroughNodeAreOneTrace chains Node, this kit and Node, for each pair of libraries and formats, over HTTP and gRPC,
// sampled and not: one trace, the right parents on both sides, the caller's decision, its tracestate and its baggage.
func TestChainsThroughNodeAreOneTrace(t *testing.T) {
	parties := startNode(t)
	all := []carrier.Format{carrier.W3C, carrier.Jaeger, carrier.B3, carrier.B3Multi}
	for _, sampled := range []bool{true, false} {
		m := startMiddle(t, sampled, carrier.Config{Inject: all})
		for _, from := range nodeKinds {
			for _, to := range nodeKinds {
				c := nodeChain{parties[from.kind], m, parties[to.kind], sampled}
				name := fmt.Sprintf("%s to %s, sampled %v", from.kind, to.kind, sampled)
				t.Run("HTTP, "+name, func(t *testing.T) { c.run(t, false) })
				if c.from.grpc != "" && c.to.grpc != "" {
					t.Run("gRPC, "+name, func(t *testing.T) { c.run(t, true) })
				}
			}
		}
	}
}

// TestNodeNeighboursByDefault has no configuration: a caller in B3 is answered in B3, beside W3C and Jaeger.
func TestNodeNeighboursByDefault(t *testing.T) {
	parties := startNode(t)
	m := startMiddle(t, true, carrier.Config{})
	for _, pair := range [][2]string{
		{"otel:w3c", "otel:jaeger"}, {"jaeger:uber", "otel:w3c"}, {"datadog:w3c", "elastic:w3c"},
		{"elastic:w3c", "jaeger:uber"}, {"otel:b3", "datadog:b3"}, {"otel:b3multi", "brave:b3multi"},
		{"brave:b3multi", "jaeger:b3"}, {"jaeger:b3", "otel:b3multi"},
		{"datadog:b3", "otel:w3c"}, {"brave:b3multi", "jaeger:uber"},
	} {
		c := nodeChain{parties[pair[0]], m, parties[pair[1]], true}
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) { c.run(t, false) })
	}
}

type nodeChain struct {
	from    *nodeParty
	middle  *nodeMiddle
	to      *nodeParty
	sampled bool
}

// run sends one call through the chain and checks what each service has seen.
func (c *nodeChain) run(t *testing.T, overGRPC bool) {
	command := nodeCommand{Op: "call", Sampled: c.sampled, HTTP: c.middle.http}
	c.middle.next = c.middle.callHTTP(t, c.to.http)
	if overGRPC {
		command.HTTP, command.GRPC = "", c.middle.grpc
		c.middle.next = c.middle.callGRPC(t, c.to.grpc)
	}
	if c.from.state {
		flags := map[bool]string{true: "-01", false: "-00"}[c.sampled]
		command.Carrier = map[string]string{"traceparent": "00-" + traceID + "-" + spanID + flags, "tracestate": state}
	}
	if c.from.baggage {
		command.Baggage = map[string]string{"user": nodeBaggage}
	}
	c.middle.reporter.Reset()
	c.from.do(t, command)
	sent := c.from.spans(t)
	seen := sent
	if c.to != c.from {
		seen = c.to.spans(t)
	}
	if len(seen.Seen) != 1 {
		t.Fatalf("the last service has seen %+v", seen.Seen)
	}
	c.checkMiddle(t, sent)
	c.checkLast(t, seen.Seen[0])
}

// checkMiddle checks the kit's own spans.
func (c *nodeChain) checkMiddle(t *testing.T, sent nodeAnswer) {
	t.Helper()
	sc := c.middle.sc
	if c.from.state && carrier.TraceID(sc) != traceID {
		t.Errorf("the kit's trace is %s", carrier.TraceID(sc))
	}
	parent := fmt.Sprintf("%016x", uint64(sc.ParentID()))
	if len(sent.Sent) > 0 && !slices.Contains(sent.Sent, parent) {
		t.Errorf("the kit's parent is %s, the caller's spans are %v", parent, sent.Sent)
	}
	if sc.IsSampled() != c.sampled {
		t.Errorf("the kit's span is sampled: %v", sc.IsSampled())
	}
	if got := baggageOf(sc)["user"]; c.from.baggage && got != nodeBaggage {
		t.Errorf("the kit's baggage is %q", got)
	}
	if got := c.middle.tracer.Propagator().TraceState(sc); c.from.state && !holds(got, state) {
		t.Errorf("the kit's tracestate is %q", got)
	}
}

func (c *nodeChain) checkLast(t *testing.T, last nodeSpan) {
	t.Helper()
	sc := c.middle.sc
	if last.Trace != carrier.TraceID(sc) || last.Sampled != c.sampled {
		t.Errorf("the last span is of trace %s, sampled %v; want %s", last.Trace, last.Sampled, carrier.TraceID(sc))
	}
	if got := last.Baggage["user"]; c.from.baggage && c.to.baggage && got != nodeBaggage {
		t.Errorf("the last service's baggage is %q", last.Baggage)
	}
	if c.from.state && c.to.state && !holds(last.Tracestate, state) {
		t.Errorf("the last service's tracestate is %q", last.Tracestate)
	}
	if !c.sampled {
		if spans := c.middle.recorded(); len(spans) != 0 {
			t.Errorf("the kit recorded %+v", spans)
		}
		return
	}
	var client span
	wait.For(t, "the kit's two spans", func() (any, bool) {
		spans := c.middle.recorded()
		var ok bool
		client, ok = find(spans, "client")
		return spans, ok && len(spans) == 2
	})
	if client.parent != carrier.SpanID(sc) || last.Parent != client.id {
		t.Errorf("the kit's client span is %+v, below %s; the last span's parent is %s",
			client, carrier.SpanID(sc), last.Parent)
	}
}

// holds reports whether a tracestate has all the members of want; libraries add their own.
func holds(got, want string) bool {
	members := strings.Split(strings.ReplaceAll(got, " ", ""), ",")
	for member := range strings.SplitSeq(want, ",") {
		if !slices.Contains(members, member) {
			return false
		}
	}
	return true
}

func baggageOf(sc jaeger.SpanContext) map[string]string {
	all := map[string]string{}
	sc.ForeachBaggageItem(func(k, v string) bool { all[k] = v; return true })
	return all
}
