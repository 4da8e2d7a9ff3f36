package tracerinit

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/export"
)

const (
	JaegerSamplerParam = jaegerSamplerParam
	MaxStrategyBytes   = maxStrategyBytes
	OTelSamplerArg     = otelSamplerArg
)

var (
	FactoryOf  = factory
	SplitAgent = splitAgent
	WovenExit  = wovenExit
	WovenMain  = wovenMain
)

// Resolution is what Start reports of a configuration.
type Resolution struct {
	Settings []Setting // none if there is an error, since then there is no Tracer
	Warnings []string  // as they are logged
	Err      error
}

// Resolve resolves a configuration as Start does, and starts nothing. Tests use it where Start would look up the name
// of a host, or where thousands of configurations are tried.
func Resolve(cfg Config) Resolution {
	r := newResolver(cfg.LookupEnv)
	r.resolve(cfg)
	var log bytes.Buffer
	r.log(slog.New(slog.NewTextHandler(&log, nil)))
	out := Resolution{Err: r.err()}
	if out.Err == nil {
		out.Settings = r.settings
	}
	for line := range strings.Lines(log.String()) {
		out.Warnings = append(out.Warnings, line)
	}
	return out
}

// StartPipeline starts the pipeline of an exporter without the rest of Start.
func StartPipeline(e Exporter, q Queue, env export.Env) (*export.Pipeline, error) {
	return export.Start(factory(e), q.export(), env)
}

// WithProxy chooses the proxy of each request by proxy in place of the environment.
func WithProxy(proxy func(*http.Request) (*url.URL, error)) HTTPOption {
	return func(c *httpConfig) { c.proxy = proxy }
}

// SetLookup lets a sender to an agent over UDP resolve names by lookup.
func SetLookup(s export.Sender, lookup func(context.Context, string, string) ([]netip.Addr, error), every time.Duration) {
	s.(*udpSender).lookup, s.(*udpSender).every = lookup, every
}

// SetConn lets a sender to an agent over UDP use a connection that is open already.
func SetConn(s export.Sender, conn *net.UDPConn) {
	u := s.(*udpSender)
	u.conn, u.addrs, u.resolved = conn, []netip.Addr{conn.RemoteAddr().(*net.UDPAddr).AddrPort().Addr()}, time.Now()
}

// EngineOf is the engine beneath a tracer.
func EngineOf(t *Tracer) opentracing.Tracer { return t.tracer }

// IsClosed reports whether a tracer is shut down, or being shut down.
func IsClosed(t *Tracer) bool { return t.closed.Load() }
