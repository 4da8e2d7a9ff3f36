package otlpgrpc

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/tracerinit"
)

// Option sets up the exporter. Later options win.
type Option func(*config)

type config struct {
	headers  map[string]string
	tls      *tls.Config
	secure   bool // TLS for a target without a scheme
	compress *bool
	retry    export.Retry
}

// WithHeaders adds metadata to every call, such as {"Authentication": token}. The values count as secrets.
func WithHeaders(headers map[string]string) Option {
	headers = maps.Clone(headers)
	return func(c *config) {
		if c.headers == nil {
			c.headers = make(map[string]string, len(headers))
		}
		for _, k := range slices.Sorted(maps.Keys(headers)) {
			c.headers[strings.ToLower(k)] = headers[k]
		}
	}
}

// WithTLS sets up TLS, and turns it on for a target without a scheme. nil is ignored.
func WithTLS(t *tls.Config) Option {
	return func(c *config) {
		if t != nil {
			c.tls, c.secure = t.Clone(), true
		}
	}
}

// WithoutCompression sends messages as they are. By default they are compressed with gzip, unless the target is on
// the loopback interface, where compressing costs more than it saves.
func WithoutCompression() Option { return func(c *config) { c.compress = new(false) } }

// WithRetry replaces the default retries.
func WithRetry(r tracerinit.Retry) Option { return func(c *config) { c.retry = export.Retry(r) } }
