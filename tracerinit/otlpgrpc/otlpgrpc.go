package otlpgrpc

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/header"
	"github.com/spanloom/spanloom/internal/remotesampling"
	"github.com/spanloom/spanloom/tracerinit"
)

const (
	name        = "otlp/grpc"
	defaultPort = "4317"
)

func init() {
	export.RegisterOTLPGRPC(fromEnvironment)
	remotesampling.RegisterGRPC(dialSampling)
}

// New sends spans as OTLP over gRPC. target is http://host:port (plaintext), https://host:port (TLS), host:port
// (plaintext unless [WithTLS] is given) or a name that grpc resolves, such as unix:///run/collector.sock. Without a
// port it is 4317.
func New(target string, opts ...Option) tracerinit.Exporter {
	return tracerinit.NewExporter(factory(target, opts...))
}

func factory(target string, opts ...Option) export.Factory {
	var c config
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	t, err := parse(target, c.secure)
	f := export.Factory{Name: name, Endpoint: t.shown, Retry: c.retry}
	f.Open = func(env export.Env) (export.Sender, error) {
		if err != nil {
			return nil, err
		}
		return c.open(t, env)
	}
	return f
}

// fromEnvironment follows OpenTelemetry's rules: an endpoint without a scheme is secure unless it is said to be not.
func fromEnvironment(e export.OTLPConfig) export.Factory {
	opts := []Option{WithHeaders(e.Headers), func(c *config) {
		c.tls, c.tlsFiles, c.secure = e.TLS, e.TLSFiles, !e.Insecure
	}}
	switch e.Compression {
	case "gzip":
		opts = append(opts, WithCompression())
	case "none":
		opts = append(opts, WithoutCompression())
	}
	return factory(e.Endpoint, opts...)
}

// target is where to connect to.
type target struct {
	dial   string // for grpc.NewClient
	shown  string // for people
	secure bool
	local  bool
}

// parse reads the target of New. The error does not quote it: it may hold a token.
func parse(s string, secure bool) (target, error) {
	s = strings.TrimSpace(s)
	scheme, rest, ok := strings.Cut(s, "://")
	switch scheme = strings.ToLower(scheme); {
	case s == "":
		return target{shown: "***"}, errors.New("the target is empty")
	case ok && scheme == "http", ok && scheme == "https":
		secure, s = scheme == "https", strings.TrimSuffix(rest, "/")
	case ok, strings.HasPrefix(s, "unix:"), strings.HasPrefix(s, "unix-abstract:"),
		strings.HasPrefix(s, "passthrough:"), strings.HasPrefix(s, "dns:"):
		return resolved(s, secure)
	}
	if strings.ContainsAny(s, "/?#@=,; ") {
		return target{shown: "***"}, errors.New("the target is not host:port: gRPC knows no path, query or user")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), defaultPort
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n == 0 {
		return target{shown: "***"}, errors.New("the target's port is not a number from 1 to 65535")
	}
	switch {
	case host == "":
		return target{shown: "***"}, errors.New("the target has no host")
	case !strings.HasPrefix(s, "[") && strings.Count(s, ":") > 1 && (ok || strings.HasSuffix(host, ":"+defaultPort)):
		return target{shown: "***"}, errors.New("the target's IPv6 address has no brackets: write [2001:db8::1]:4317")
	case !export.ValidHost(host):
		return target{shown: "***"}, errors.New("the target's host is not one name or address")
	}
	addr := net.JoinHostPort(host, port)
	dial := "dns:///" + strings.ReplaceAll(addr, "%", "%25") // of an IPv6 zone
	return target{dial: dial, shown: addr, secure: secure, local: export.Loopback(host)}, nil
}

// resolved is a target that one of grpc's resolvers reads.
func resolved(s string, secure bool) (target, error) {
	scheme, _, _ := strings.Cut(s, ":")
	if resolver.Get(strings.ToLower(scheme)) == nil {
		return target{shown: "***"}, errors.New("the target's scheme is neither http nor https nor known to grpc")
	}
	t := target{dial: s, shown: s, secure: secure, local: strings.HasPrefix(s, "unix")}
	if strings.ContainsAny(s, "@?") {
		t.shown = scheme + ":***"
	}
	return t, nil
}

func (c *config) open(t target, env export.Env) (export.Sender, error) {
	s := &sender{
		target: t, remote: export.Remote{Name: name, Host: t.shown}, md: metadata.MD{}, tokens: export.NewTokens(c.token),
		process: env.Process, logger: env.Logger, tls: c.tls, zip: zip{auto: c.gzip == nil, on: !t.local},
		dial: dial,
	}
	if c.gzip != nil {
		s.zip.on = *c.gzip
	}
	if c.tlsFiles != nil {
		s.tlsFiles = c.tlsFiles.Clone()
	}
	s.remote.Redactor.AddTags(env.Process.Tags) // some vendors want their token there
	if strings.HasSuffix(t.shown, "***") {
		_, rest, _ := strings.Cut(t.dial, ":")
		s.remote.Redactor.Add(rest, strings.TrimLeft(rest, "/"))
	}
	for k, v := range c.headers {
		if !validMetadata(k, v) {
			return nil, fmt.Errorf("header %s: its name or value cannot be sent in gRPC metadata", export.ShownHeader(k))
		}
		s.md.Set(k, v)
		s.remote.Redactor.Add(v)
	}
	if err := s.connect(); err != nil {
		return nil, errors.New(s.remote.Redactor.Text(err.Error()))
	}
	return s, nil
}

// validMetadata reports whether gRPC sends the header, whose name is in lower case, as it is, and servers take it.
func validMetadata(k, v string) bool {
	switch k { // what HTTP/2 forbids: https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return false
	}
	return header.IsKey(k) && !strings.HasPrefix(k, "grpc-") && header.IsKeyValue(k, v)
}

// dial makes a connection, which connects when it is first used. Of several addresses it picks one at random, so that a
// new connection may reach another instance.
func dial(t target, creds credentials.TransportCredentials) (*grpc.ClientConn, error) {
	return grpc.NewClient(t.dial, grpc.WithTransportCredentials(creds), grpc.WithUserAgent("spanloom"),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDefaultServiceConfig(shuffled),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 200 * time.Millisecond, Multiplier: 2, Jitter: 0.2, MaxDelay: 5 * time.Second,
			},
			MinConnectTimeout: 10 * time.Second,
		}))
}

const shuffled = `{"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": true}}]}`
