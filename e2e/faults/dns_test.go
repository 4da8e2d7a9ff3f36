package faults_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/tracerinit"
)

// names is the only name server that this test program knows.
type names struct {
	conn net.PacketConn
	gone atomic.Bool // answers SERVFAIL instead of 127.0.0.1
	deaf atomic.Bool // does not answer
}

func serveNames() (*names, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &names{conn: conn}
	go n.serve()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	return n, nil
}

func (n *names) serve() {
	packet := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer := n.answer(packet[:size]); answer != nil && !n.deaf.Load() {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *names) answer(packet []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	q := m.Questions[0]
	switch {
	case n.gone.Load():
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr("127.0.0.1").As4()},
		}}
	}
	answer, _ := m.Pack()
	return answer
}

// The collector's name stops to resolve while its connections break, and comes back.
func TestANameThatStopsToResolveLosesNothing(t *testing.T) {
	defer func(r *net.Resolver) { net.DefaultResolver = r }(net.DefaultResolver)
	dns, err := serveNames()
	if err != nil {
		t.Fatal(err)
	}
	defer dns.conn.Close()
	backend := sink.NewHTTP(t)
	_, port, _ := net.SplitHostPort(backend.URL[len("http://"):])
	url := "http://collector.test.:" + port

	t.Run("and comes back", func(t *testing.T) {
		s := newService(t, tracerinit.OTLPHTTP(url, tracerinit.WithRetry(retry)), queue)
		s.work(200)
		s.flush(t)
		dns.gone.Store(true)
		backend.Down()
		backend.Up(t)
		s.work(200)
		s.failures(t)
		dns.gone.Store(false)
		s.flush(t)
		if e := s.account(t, &backend.Taken); e.Delivered != 400 {
			t.Errorf("delivered %d of 400: %+v", e.Delivered, e)
		}
	})
	for name, fault := range map[string]*atomic.Bool{"SERVFAIL": &dns.gone, "no answer": &dns.deaf} {
		t.Run("for good, "+name, func(t *testing.T) {
			fault.Store(true)
			defer fault.Store(false)
			for kind, exporter := range map[string]tracerinit.Exporter{
				"OTLP": tracerinit.OTLPHTTP(url, tracerinit.WithRetry(retry)),
				"UDP":  tracerinit.JaegerUDP("agent.test.:6831"),
			} {
				t.Run(kind, func(t *testing.T) {
					s := newService(t, exporter, queue)
					s.work(200)
					s.shutdown(t, 300*time.Millisecond)
					if e := s.Stats().Exporters[0]; e.Delivered != 0 || e.Dropped.Total() != 200 {
						t.Errorf("want all 200 dropped: %+v", e)
					}
				})
			}
		})
	}
}
