package tracerinit

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/export"
)

// The helpers that the tests outside the package share with those inside.
var (
	LookupIn      = env
	LocalConfig   = local
	StartLocal    = start
	StartInMemory = memory
	Eventually    = eventually
	ContextOf     = contextOf
)

type LogBuffer = logBuffer

const (
	CallerTrace = callerTrace
	CallerSpan  = callerSpan

	MaxStrategyBytes = maxStrategyBytes
)

var (
	FactoryOf  = factory
	SplitAgent = splitAgent
)

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

// EngineOf is the engine beneath a tracer.
func EngineOf(t *Tracer) opentracing.Tracer { return t.tracer }
