package otlpgrpc

import (
	"context"
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
	token    export.TokenSource // nil: none
	tls      *tls.Config
	tlsFiles *export.TLSFiles // nil: tls
	secure   bool             // TLS for a target without a scheme
	gzip     *bool            // nil: unless the target is on the loopback interface
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

// WithTokenSource calls token before every call and sends its result as the metadata "authorization: Bearer": for
// tokens that expire. The source keeps a token as long as it is good; after Unauthenticated it is called once more. An
// error, a panic, or no result within the time of one attempt is a failure that is tried again. The context has the
// deadline of the attempt, and requests made with it are not traced by this module. There is one call at a time. nil is
// ignored.
func WithTokenSource(token func(context.Context) (tracerinit.Secret, error)) Option {
	return func(c *config) {
		if token == nil {
			return
		}
		c.token = func(ctx context.Context) (string, error) {
			s, err := token(ctx)
			return string(s), err
		}
	}
}

// WithTLS sets up TLS, and turns it on for a target without a scheme. nil is ignored.
func WithTLS(t *tls.Config) Option {
	return func(c *config) {
		if t != nil {
			c.tls, c.tlsFiles, c.secure = t.Clone(), nil, true
		}
	}
}

// WithCompression compresses every message with gzip.
func WithCompression() Option {
	gzip := true
	return func(c *config) { c.gzip = &gzip }
}

// WithoutCompression sends every message as it is. Without this option and [WithCompression], messages are compressed
// with gzip unless the target is on the loopback interface, where compressing costs more than it saves, and until the
// receiver answers Unimplemented and takes the same batch uncompressed.
func WithoutCompression() Option {
	gzip := false
	return func(c *config) { c.gzip = &gzip }
}

// WithRetry replaces the default retries.
func WithRetry(r tracerinit.Retry) Option { return func(c *config) { c.retry = export.Retry(r) } }
