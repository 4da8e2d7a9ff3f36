package tracerinit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go/thrift"
	thriftagent "github.com/uber/jaeger-client-go/thrift-gen/agent"
	gen "github.com/uber/jaeger-client-go/thrift-gen/jaeger"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/tracerinit"
)

// agent is a UDP server that reads what Jaeger's agent would.
type agent struct {
	conn *net.UDPConn

	mu      sync.Mutex
	batches []*gen.Batch
	sizes   []int
}

func newAgent(t testing.TB, addr string) *agent {
	t.Helper()
	udp, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", udp)
	if err != nil {
		if strings.HasPrefix(addr, "[") {
			t.Skip("no IPv6 here: ", err)
		}
		t.Fatal(err)
	}
	a := &agent{conn: conn}
	done := make(chan struct{})
	go func() { defer close(done); a.read(t) }()
	t.Cleanup(func() { conn.Close(); <-done })
	return a
}

func (a *agent) read(t testing.TB) {
	packet := make([]byte, 1<<16)
	for {
		n, _, err := a.conn.ReadFromUDP(packet)
		if err != nil {
			return
		}
		buf := thrift.NewTMemoryBuffer()
		buf.Write(packet[:n])
		protocol := thrift.NewTCompactProtocolConf(buf, nil)
		name, _, _, err := protocol.ReadMessageBegin(context.Background())
		var args thriftagent.AgentEmitBatchArgs
		if err == nil {
			err = args.Read(context.Background(), protocol)
		}
		if err != nil || name != "emitBatch" {
			t.Errorf("a datagram of %d bytes: %s %v", n, name, err)
			continue
		}
		a.mu.Lock()
		a.batches = append(a.batches, args.Batch)
		a.sizes = append(a.sizes, n)
		a.mu.Unlock()
	}
}

func (a *agent) spans() (spans []*gen.Span) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.batches {
		spans = append(spans, b.Spans...)
	}
	return spans
}

func (a *agent) names() (names []string) {
	for _, s := range a.spans() {
		names = append(names, s.OperationName)
	}
	return names
}

func (a *agent) String() string { return a.conn.LocalAddr().String() }

func TestUDPSplitsWhatDoesNotFitADatagram(t *testing.T) {
	a := newAgent(t, "127.0.0.1:0")
	l := open(t, tracerinit.JaegerUDP(a.String()), tracerinit.Queue{})
	for i := range 300 {
		l.StartSpan(fmt.Sprintf("span %d", i)).SetTag("filler", strings.Repeat("x", 1000)).Finish()
	}
	if err := l.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "300 spans", func() bool { return len(a.spans()) == 300 })
	if diff := cmp.Diff(wantNames(300), a.names()); diff != "" {
		t.Error(diff)
	}
	for i, n := range a.sizes {
		if n > 65000 {
			t.Errorf("datagram %d has %d bytes", i, n)
		}
	}
	if len(a.sizes) > 7 {
		t.Errorf("300 spans of a kilobyte took %d datagrams", len(a.sizes))
	}
	if got := a.batches[0].Process; got.ServiceName != "storefront" || len(got.Tags) != 1 {
		t.Errorf("process %v", got)
	}
	if s := l.Stats(); s.Delivered != 300 {
		t.Errorf("%+v", s)
	}
}

func TestUDPTrimsASpanThatDoesNotFitADatagram(t *testing.T) {
	a := newAgent(t, "127.0.0.1:0")
	l := open(t, tracerinit.JaegerUDP(a.String()), tracerinit.Queue{})
	huge := strings.Repeat("y", 70_000)

	s := l.StartSpan("huge log")
	s.SetTag("kept", "all")
	s.LogFields(log.String("event", huge))
	s.Finish()
	s = l.StartSpan("huge tag")
	s.SetTag("small", "stays").SetTag("large", huge).SetTag("larger", huge+huge)
	s.Finish()
	s = l.StartSpan("many tags")
	for i := range 5000 {
		s.SetTag(fmt.Sprintf("key.%04d", i), "some value that is not long")
	}
	s.Finish()
	l.StartSpan(huge).Finish()

	l.Flush(within(t, time.Minute))
	eventually(t, "4 spans", func() bool { return len(a.spans()) == 4 })
	spans := a.spans()
	tags := func(s *gen.Span) (keys map[string]string) {
		keys = map[string]string{}
		for _, tag := range s.Tags {
			keys[tag.Key] = tag.GetVStr()
		}
		return keys
	}
	if got := tags(spans[0]); got["kept"] != "all" || len(spans[0].Logs) != 0 || got[export.TrimmedTag] != "1 logs, 0 tags" {
		t.Errorf("huge log: %d logs, %v", len(spans[0].Logs), got)
	}
	if got := tags(spans[1]); got["small"] != "stays" || got["large"] != "" || got[export.TrimmedTag] != "0 logs, 2 tags" {
		t.Errorf("huge tag: %v", got)
	}
	if got := len(spans[2].Tags); got < 1000 || got >= 5000 || tags(spans[2])[export.TrimmedTag] == "" {
		t.Errorf("many tags: %d left", got)
	}
	if got := spans[3]; len(got.OperationName) > 2000 || tags(got)[export.TrimmedTag] == "" {
		t.Errorf("huge name: %d bytes left", len(got.OperationName))
	}
	if s := l.Stats(); s.Delivered != 4 || s.Dropped.Total() != 0 {
		t.Errorf("%+v", s)
	}
}

func TestUDPSpeaksIPv6(t *testing.T) {
	a := newAgent(t, "[::1]:0")
	l := open(t, tracerinit.JaegerUDP(a.String()), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	eventually(t, "3 spans", func() bool { return len(a.spans()) == 3 })
}

func TestUDPFindsTheAgentOnEitherLoopback(t *testing.T) {
	a := newAgent(t, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(a.String())
	l := open(t, tracerinit.JaegerUDP("localhost:"+port), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	eventually(t, "3 spans", func() bool { return len(a.spans()) == 3 })
}

func TestUDPAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"agent": "agent:6831", "agent:1": "agent:1", "::1": "[::1]:6831", "[::1]": "[::1]:6831", "[::1]:1": "[::1]:1",
		":6831": "localhost:6831", "127.0.0.1": "127.0.0.1:6831", " agent ": "agent:6831", "fe80::1%eth0": "[fe80::1%eth0]:6831",
	} {
		t.Run("address "+in, func(t *testing.T) {
			host, port, err := tracerinit.SplitAgent(in)
			if got := net.JoinHostPort(host, port); err != nil || got != want {
				t.Errorf("%q: %s, %v; want %s", in, got, err, want)
			}
		})
	}
	for _, in := range []string{"", "agent:", "agent:0", "agent:65536", "agent:x", "http://agent:6831", "a:b:c", "user@agent", "http://u:topsecret@agent", "a,b", "host=topsecret"} {
		t.Run("address "+in, func(t *testing.T) {
			if _, err := tracerinit.StartPipeline(tracerinit.JaegerUDP(in), tracerinit.Queue{}, export.Env{Process: &model.Process{}}); err == nil || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%q: %v", in, err)
			}
		})
	}
}

func TestUDPDeadAgentIsSeen(t *testing.T) {
	gone := newAgent(t, "127.0.0.1:0")
	addr := gone.String()
	gone.conn.Close()
	e := tracerinit.FactoryOf(tracerinit.JaegerUDP(addr))
	e.Retry = export.Retry{Limit: -1}
	l := open(t, tracerinit.NewExporter(e), tracerinit.Queue{})
	for range 5 {
		l.make(2)
		l.Flush(within(t, time.Minute))
	}
	s := l.Stats()
	if s.Dropped.Failed != 10 || s.Delivered != 0 || s.Failures != 5 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(s.LastError, "jaeger/udp") || !strings.Contains(s.LastError, addr) || !strings.Contains(s.LastError, "refused") {
		t.Errorf("%q", s.LastError)
	}
}

func TestUDPAgentThatDiesAndComesBack(t *testing.T) {
	first := newAgent(t, "127.0.0.1:0")
	addr := first.String()
	e := tracerinit.FactoryOf(tracerinit.JaegerUDP(addr))
	e.Retry = export.Retry(quick)
	l := open(t, tracerinit.NewExporter(e), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	eventually(t, "3 spans", func() bool { return len(first.spans()) == 3 })
	first.conn.Close()
	l.make(3)
	eventually(t, "a failure", func() bool { return l.Stats().Failures > 0 })
	second := newAgent(t, addr)
	l.Flush(within(t, time.Minute))
	eventually(t, "3 more spans", func() bool { return len(second.spans()) == 3 })
	if s := l.Stats(); s.Delivered != 6 || s.Dropped.Total() != 0 {
		t.Errorf("%+v", s)
	}
}

// nameServer answers look-ups for a udpSender with what is set, or with an error.
type nameServer struct{ addr atomic.Value }

func (n *nameServer) lookup(context.Context, string, string) ([]netip.Addr, error) {
	if addr, ok := n.addr.Load().(netip.Addr); ok && addr.IsValid() {
		return []netip.Addr{addr}, nil
	}
	return nil, errors.New("no such host")
}

func withLookup(e export.Factory, every time.Duration, n *nameServer) tracerinit.Exporter {
	inner := e.Open
	e.Open = func(env export.Env) (export.Sender, error) {
		s, err := inner(env)
		if err == nil {
			tracerinit.SetLookup(s, n.lookup, every)
		}
		return s, err
	}
	e.Retry = export.Retry(quick)
	return tracerinit.NewExporter(e)
}

func TestUDPStartsWithoutTheAgentsName(t *testing.T) {
	a := newAgent(t, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(a.String())
	var n nameServer
	l := open(t, withLookup(tracerinit.FactoryOf(tracerinit.JaegerUDP("agent.test:"+port)), time.Hour, &n), tracerinit.Queue{Interval: time.Millisecond})
	l.make(3)
	eventually(t, "a failure", func() bool { return l.Stats().Failures > 0 })
	n.addr.Store(netip.MustParseAddr("127.0.0.1"))
	l.Flush(within(t, time.Minute))
	eventually(t, "3 spans", func() bool { return len(a.spans()) == 3 })
	if s := l.Stats(); s.Delivered != 3 || !strings.Contains(s.LastError, "no such host") {
		t.Errorf("%+v", s)
	}
}

func TestUDPFollowsTheAgentsName(t *testing.T) {
	first := newAgent(t, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(first.String())
	second := newAgent(t, "127.0.0.2:"+port)
	var n nameServer
	n.addr.Store(netip.MustParseAddr("127.0.0.1"))
	l := open(t, withLookup(tracerinit.FactoryOf(tracerinit.JaegerUDP("agent.test:"+port)), time.Nanosecond, &n), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	n.addr.Store(netip.MustParseAddr("127.0.0.2"))
	l.make(2)
	l.Flush(within(t, time.Minute))
	eventually(t, "2 spans at the new address", func() bool { return len(second.spans()) == 2 })
	if len(first.spans()) != 3 {
		t.Errorf("%d spans at the old address", len(first.spans()))
	}
	n.addr.Store(netip.Addr{})
	l.make(1)
	l.Flush(within(t, time.Minute))
	eventually(t, "the agent kept while its name is gone", func() bool { return len(second.spans()) == 3 })
}
