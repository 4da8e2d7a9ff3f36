package export

import (
	"context"
	"net"
	"sync"
)

// conns are the connections of one http.Transport, which by itself keeps one of HTTP/2 that answers no longer, and
// even after CloseIdleConnections one whose last request was cancelled just now.
type conns struct {
	dialer net.Dialer

	mu     sync.Mutex
	open   map[*ownConn]struct{}
	closed bool
}

func (c *conns) dial(ctx context.Context, network, addr string) (net.Conn, error) {
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
		c.open = map[*ownConn]struct{}{}
	}
	conn := &ownConn{raw, c}
	c.open[conn] = struct{}{}
	return conn, nil
}

// cut closes all connections, and, if that is the end, those to come. It does not wait.
func (c *conns) cut(end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = c.closed || end
	for conn := range c.open {
		conn.Conn.Close()
	}
	clear(c.open)
}

type ownConn struct {
	net.Conn
	of *conns
}

func (o *ownConn) Close() error {
	o.of.mu.Lock()
	delete(o.of.open, o)
	o.of.mu.Unlock()
	return o.Conn.Close()
}
