package tracerinit_test

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/tracerinit"
)

// limited returns an exporter to an agent whose datagrams the kernel refuses beyond the size of a packet, as those of
// BSD and macOS do beyond their limit.
func limited(t *testing.T, a *agent, packet int) tracerinit.Exporter {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, a.conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		const dontFragment = 62 // IPV6_DONTFRAG
		if err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_MTU, packet); err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, dontFragment, 1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	f := tracerinit.FactoryOf(tracerinit.JaegerUDP(a.String()))
	open := f.Open
	f.Open = func(env export.Env) (export.Sender, error) {
		s, err := open(env)
		if err == nil {
			tracerinit.SetConn(s, conn)
		}
		return s, err
	}
	return tracerinit.NewExporter(f)
}

func TestUDPHalvesWhatTheSystemDoesNotSend(t *testing.T) {
	a := newAgent(t, "[::1]:0")
	l := open(t, limited(t, a, 9216), tracerinit.Queue{})
	for i := range 100 {
		l.StartSpan(fmt.Sprintf("span %d", i)).SetTag("filler", strings.Repeat("x", 1000)).Finish()
	}
	l.StartSpan("too large").SetTag("filler", strings.Repeat("x", 10_000)).Finish()
	if err := l.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "100 spans", func() bool { return len(a.spans()) >= 100 })
	if diff := cmp.Diff(wantNames(100), a.names()); diff != "" {
		t.Error(diff)
	}
	if s := l.Stats(); s.Delivered != 100 || s.Dropped.TooLarge != 1 || !strings.Contains(s.LastError, "message too long") {
		t.Errorf("%+v", s)
	}
}
