package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/remotesampling"
)

const (
	defaultSampling = "http://localhost:5778/sampling"
	samplingPath    = "/sampling"
	maxReasonBytes  = 4 << 10 // of the body of a refusal
)

// samplingURL adds the scheme to host:port, as JAEGER_SAMPLER_MANAGER_HOST_PORT is documented.
func samplingURL(s string) string {
	if !strings.Contains(s, "://") {
		return "http://" + s
	}
	return s
}

// strategyClients are the clients for the protocols that the server at an endpoint may speak. Jaeger serves strategies
// over gRPC on ports 14250 and 5779, and over HTTP on 5778; OpenTelemetry defines the endpoint of jaeger_remote as one
// for gRPC, but most of those in use are for HTTP. So an endpoint without a path gets both clients, as far as gRPC is
// linked, and keeps the one that is answered.
func strategyClients(endpoint, service string) ([]strategyClient, error) {
	u, err := export.ParseURL(endpoint, samplingPath)
	if err != nil {
		return nil, err
	}
	overHTTP := newStrategyHTTP(u, service)
	dial, linked := remotesampling.GRPC()
	if u.Path != samplingPath || u.RawQuery != "" || !linked {
		if forGRPC(u) && !linked {
			return nil, errNeedsGRPC
		}
		return []strategyClient{overHTTP}, nil
	}
	target := remotesampling.Target{HostPort: u.Host, Secure: u.Scheme == "https"}
	if u.Port() == "" {
		target.HostPort = net.JoinHostPort(u.Hostname(), "14250")
	}
	client, err := dial(target)
	if err != nil {
		return nil, err
	}
	overGRPC := &strategyGRPC{client: client, request: appendStrategyRequest(nil, service)}
	if forGRPC(u) {
		return []strategyClient{overGRPC}, nil
	}
	return []strategyClient{overHTTP, overGRPC}, nil
}

// forGRPC reports whether an endpoint is on one of the ports on which Jaeger serves strategies over gRPC alone.
func forGRPC(u *url.URL) bool { return u.Port() == "14250" || u.Port() == "5779" }

var errNeedsGRPC = fmt.Errorf("the port is one on which Jaeger serves strategies over gRPC: "+
	"add import _ %q to the program, or use port 5778, which is for HTTP", grpcPackage)

// strategyHTTP gets strategies in JSON.
type strategyHTTP struct {
	url    string
	remote export.Remote
	client http.Client
}

func newStrategyHTTP(endpoint *url.URL, service string) *strategyHTTP {
	u := *endpoint
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "service=" + url.QueryEscape(service)
	c := &strategyHTTP{url: u.String()}
	c.remote = export.Remote{Name: "sampling", Host: export.MaskURL(endpoint, samplingPath)}
	c.remote.Redactor.AddURL(endpoint, samplingPath)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: endpoint})
	if endpoint.Scheme == "http" && (proxy == nil || !strings.HasPrefix(proxy.Scheme, "socks")) {
		transport.DialContext = dialHTTP
	}
	c.client = http.Client{
		Transport:     transport, // no connection is kept for the minute between two requests
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// dialHTTP opens a connection that ends with errOtherProtocol if the other side speaks first, as a server of HTTP/2
// does. net/http would write about that to the standard logger.
func dialHTTP(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &httpConn{Conn: conn}, nil
}

type httpConn struct {
	net.Conn
	started bool // the answer has begun; only the reader of the connection uses it
}

func (c *httpConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.started {
		c.started = true
		if p[0] != 'H' {
			return 0, errOtherProtocol
		}
	}
	return n, err
}

func (c *strategyHTTP) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, c.redacted(err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		if inner := new(url.Error); errors.As(err, &inner) { // its text is the whole URL
			err = inner.Err
		}
		if errors.Is(err, errOtherProtocol) || strings.Contains(err.Error(), "no application protocol") {
			return nil, fmt.Errorf("no HTTP from %s: %w", c.remote.Host, errOtherProtocol)
		}
		return nil, c.redacted(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, maxReasonBytes))
		return nil, c.remote.Refused(resp.Status, export.Reason(resp.Header.Get("Content-Type"), why, nil), "")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxStrategyBytes+1))
	if err != nil {
		return nil, c.redacted(err)
	}
	if len(body) > maxStrategyBytes {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxStrategyBytes)
	}
	return body, nil
}

func (*strategyHTTP) parse(answer []byte) (*strategyResponse, error) { return parseStrategy(answer) }

func (*strategyHTTP) close() {}

// redacted returns an error with err's text, free of secrets.
func (c *strategyHTTP) redacted(err error) error {
	return errors.New(c.remote.Redactor.Text(err.Error()))
}

// strategyGRPC gets strategies as protobuf messages.
type strategyGRPC struct {
	client  remotesampling.Client
	request []byte
}

func (c *strategyGRPC) fetch(ctx context.Context) ([]byte, error) {
	return c.client.Call(ctx, c.request)
}

func (*strategyGRPC) parse(answer []byte) (*strategyResponse, error) {
	return parseStrategyMessage(answer)
}

func (c *strategyGRPC) close() { c.client.Close() }
