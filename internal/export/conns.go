package export

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// conns are the connections of one http.Transport, which by itself keeps one of HTTP/2 that answers no longer, and
// even after CloseIdleConnections one whose last request was cancelled just now.
type conns struct {
	dialer  net.Dialer
	request atomic.Uint64 // counts requests: one is under way while the number is odd
	// foreign is what an answer that is none of HTTP showed. net/http may return that the request could not be written
	// instead, since it closes the connection.
	foreign atomic.Pointer[protocolError]
	// broken is what reading an answer failed with, for the same reason.
	broken atomic.Pointer[error]

	mu     sync.Mutex
	open   map[*trackedConn]struct{}
	closed bool
}

// dial opens a connection that speaks HTTP without TLS, or through a proxy.
func (c *conns) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := c.dialRaw(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return newAnswerConn(conn, c), nil
}

// dialTLS opens a connection that speaks TLS. net/http has to see the one for HTTP/2 as it is.
func (c *conns) dialTLS(ctx context.Context, network, addr string, config *tls.Config) (net.Conn, error) {
	raw, err := c.dialRaw(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return c.startTLS(ctx, raw, addr, config)
}

func (c *conns) startTLS(ctx context.Context, raw net.Conn, addr string, config *tls.Config) (net.Conn, error) {
	conn := tls.Client(raw, forHost(config, addr))
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		return conn, nil
	}
	return newAnswerConn(conn, c), nil
}

// forHost completes a client's configuration as net/http does.
func forHost(config *tls.Config, addr string) *tls.Config {
	config = config.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config
}

func (c *conns) dialRaw(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := c.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		raw.Close()
		return nil, net.ErrClosed
	}
	if c.open == nil {
		c.open = map[*trackedConn]struct{}{}
	}
	conn := &trackedConn{raw, c}
	c.open[conn] = struct{}{}
	return conn, nil
}

// cause returns why the request failed with err.
func (c *conns) cause(err error) error {
	if foreign := c.foreign.Load(); foreign != nil {
		return foreign
	}
	if broken := c.broken.Load(); broken != nil && errors.Is(err, net.ErrClosed) {
		return *broken
	}
	return err
}

// begin and end enclose one request and the reading of its answer.
func (c *conns) begin() {
	c.foreign.Store(nil)
	c.broken.Store(nil)
	c.request.Add(1)
}

func (c *conns) end() { c.request.Add(1) }

// close closes all connections, and those to come. It does not wait.
func (c *conns) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.open {
		conn.Conn.Close()
	}
	clear(c.open)
}

// trackedConn is a connection that [conns] knows until it is closed.
type trackedConn struct {
	net.Conn
	of *conns
}

func (c *trackedConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// answerConn is a connection that speaks HTTP/1. It keeps from net/http what cannot be an answer, since net/http writes
// about that to the standard log: an answer that does not begin as one of HTTP is a [*protocolError], bytes after an
// answer end the connection, and bytes that come before the request wait for it.
type answerConn struct {
	net.Conn
	of      *conns
	request atomic.Uint64 // the number of the request that was written last
	sent    chan struct{} // closed by the first Write, or by Close
	opened  sync.Once
	// Only the goroutine of net/http that reads uses these fields.
	answered bool   // the first bytes of an answer were seen
	reading  uint64 // the number of the request whose answer is being read
	frame    frame  // of that answer
}

func newAnswerConn(conn net.Conn, of *conns) *answerConn {
	return &answerConn{Conn: conn, of: of, sent: make(chan struct{})}
}

func (c *answerConn) Write(b []byte) (int, error) {
	c.request.Store(c.of.request.Load())
	c.opened.Do(func() { close(c.sent) })
	return c.Conn.Write(b)
}

func (c *answerConn) Close() error {
	c.opened.Do(func() { close(c.sent) })
	return c.Conn.Close()
}

func (c *answerConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n == 0 {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			c.of.broken.Store(&err)
		}
		return n, err
	}
	if !c.answered {
		c.answered = true
		if err := checkAnswer(b[:n]); err != nil {
			c.of.foreign.Store(err)
			return 0, err
		}
	}
	<-c.sent // a balancer that is full answers without reading the request
	now := c.of.request.Load()
	if now%2 == 0 || now != c.request.Load() {
		return 0, io.EOF
	}
	if c.reading != now {
		c.reading, c.frame = now, frame{}
	}
	if taken := c.frame.take(b[:n]); taken < n {
		return taken, io.EOF // what follows the answer belongs to none
	}
	return n, err
}
