package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/thrift"
)

const (
	datagramBytes = 65000 // what agents take
	agentPort     = "6831"
	resolveEvery  = 10 * time.Second

	// Without a pause between datagrams, those that a receiver's buffer (208 KiB on Linux) cannot hold are lost and
	// nobody knows: this is 16 MB a second, so that an agent may look away for some milliseconds.
	pausePerByte = 64 * time.Nanosecond

	// icmpWait is how long a datagram to an agent not known to be there may take to come back as refused.
	icmpWait = 50 * time.Millisecond
)

// JaegerUDP sends spans as Jaeger thrift compact in UDP datagrams to an agent. hostPort is a name or an address, with
// port 6831 if none is given; the name is looked up when spans are sent, and again every 10 seconds and when the agent
// refuses them. What arrives is not known over UDP: delivered means sent, and not refused by the agent's host.
func JaegerUDP(hostPort string) Exporter { return builtin{jaegerUDP(hostPort, resolveEvery)} }

// jaegerUDP is JaegerUDP with the interval of look-ups; one that is zero or negative leaves those after a refusal.
func jaegerUDP(hostPort string, every time.Duration) export.Factory {
	host, port, err := splitAgent(hostPort)
	f := export.Factory{Name: "jaeger/udp", Endpoint: net.JoinHostPort(host, port)}
	f.Open = func(env export.Env) (export.Sender, error) {
		if err != nil {
			return nil, err
		}
		s := &udpSender{
			remote: export.Remote{Name: f.Name, Host: f.Endpoint}, host: host, port: port, every: every,
			process: env.Process, lookup: net.DefaultResolver.LookupNetIP,
		}
		if s.MaxBytes() <= 0 {
			return nil, fmt.Errorf("the process tags do not fit a datagram of %d bytes", datagramBytes)
		}
		return s, nil
	}
	return f
}

// splitAgent reads host:port, host, [v6]:port, [v6] or v6.
func splitAgent(s string) (host, port string, err error) {
	s = strings.TrimSpace(s)
	host, port, err = net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), agentPort
	}
	n, notPort := strconv.ParseUint(port, 10, 16)
	switch {
	case s == "":
		return "", "", errors.New("the agent's address is empty")
	case host != "" && !export.ValidHost(host):
		return mask, agentPort, errors.New("the agent's address is not host:port")
	case strings.Count(host, ":") > 1 && strings.HasSuffix(host, ":"+agentPort) && port == agentPort:
		return host, port, errors.New("the agent's IPv6 address has no brackets: write [2001:db8::1]:6831")
	case notPort != nil || n == 0:
		return host, agentPort, errors.New("the agent's port is not a number from 1 to 65535")
	case host == "":
		host = "localhost"
	}
	return host, port, nil
}

// udpSender sends one datagram for each batch.
type udpSender struct {
	remote     export.Remote
	host, port string
	every      time.Duration
	process    *model.Process
	lookup     func(ctx context.Context, network, host string) ([]netip.Addr, error)

	addrs    []netip.Addr // the one in use first
	resolved time.Time
	conn     *net.UDPConn // to addrs[0]; nil: none
	trusted  bool         // the agent has not refused what was sent over conn
	free     time.Time    // when the next datagram may go
	buf      []byte
}

func (*udpSender) AppendSpan(dst []byte, s *model.Span) []byte {
	return thrift.AppendSpanCompact(dst, s)
}

func (s *udpSender) MaxBytes() int { return datagramBytes - thrift.EmitBatchOverhead(s.process) }

// Send tries the agent's addresses in turn: localhost may be ::1 to the resolver and 127.0.0.1 to the agent.
func (s *udpSender) Send(ctx context.Context, b export.Batch) error {
	s.buf = thrift.AppendEmitBatchCompact(s.buf[:0], s.process, b.Spans)
	if err := s.resolve(ctx); err != nil {
		return s.remote.NoAnswer(err, "")
	}
	if err := s.pace(ctx); err != nil {
		return s.remote.NoAnswer(err, "")
	}
	var err error
	for range s.addrs {
		if err = s.write(ctx); err == nil {
			return nil
		}
		if errors.Is(err, syscall.EMSGSIZE) { // macOS sends at most 9216 bytes at a time
			return &export.TooLargeError{Err: s.remote.Unreachable(err, "")}
		}
		s.hangUp()
		s.addrs = append(s.addrs[1:], s.addrs[0])
	}
	s.resolved = time.Time{}
	return s.remote.NoAnswer(err, "")
}

// resolve looks the agent up if that is due, and keeps the connection if its address is still among the answers. A
// failed look-up is no reason to leave an agent that takes spans.
func (s *udpSender) resolve(ctx context.Context) error {
	if s.conn != nil && (s.every <= 0 || time.Since(s.resolved) < s.every) {
		return nil
	}
	addrs, err := s.lookup(ctx, "ip", s.host)
	switch {
	case len(addrs) == 0 && s.conn != nil:
		addrs = s.addrs
	case err != nil:
		return err
	case len(addrs) == 0:
		return fmt.Errorf("no address for %s", s.host)
	}
	s.resolved = time.Now()
	if s.conn != nil {
		if i := slices.Index(addrs, s.addrs[0]); i >= 0 {
			addrs[0], addrs[i] = addrs[i], addrs[0]
		} else {
			s.hangUp()
		}
	}
	s.addrs = addrs
	return nil
}

func (s *udpSender) pace(ctx context.Context) error {
	wait := time.Until(s.free)
	s.free = time.Now().Add(max(wait, 0) + time.Duration(len(s.buf))*pausePerByte)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *udpSender) write(ctx context.Context) error {
	if s.conn == nil {
		d := net.Dialer{}
		conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(s.addrs[0].Unmap().String(), s.port))
		if err != nil {
			return err
		}
		s.conn, s.trusted = conn.(*net.UDPConn), false
	}
	deadline, _ := ctx.Deadline()
	s.conn.SetWriteDeadline(deadline)
	if _, err := s.conn.Write(s.buf); err != nil {
		return err
	}
	if s.trusted {
		return pendingError(s.conn)
	}
	s.conn.SetReadDeadline(time.Now().Add(icmpWait))
	if _, err := s.conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, syscall.ETIMEDOUT) && !timedOut(err) {
		return err
	}
	s.trusted = true
	return nil
}

func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func (s *udpSender) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

func (s *udpSender) Close() { s.hangUp() }
