package tracerinit

import (
	"crypto/tls"
	"maps"
	"net/http"
	"slices"

	"github.com/spanloom/spanloom/internal/export"
)

// HTTPOption sets up an exporter that speaks HTTP. Later options win.
type HTTPOption func(*httpConfig)

type httpConfig struct {
	headers  map[string]string
	user     string
	password string
	basic    bool
	bearer   string
	tls      *tls.Config
	gzip     *bool // nil: unless the endpoint is on the loopback interface
	retry    export.Retry
}

// WithHeaders adds headers to every request. Their values count as secrets.
func WithHeaders(headers map[string]string) HTTPOption {
	headers = maps.Clone(headers)
	return func(c *httpConfig) {
		if c.headers == nil {
			c.headers = make(map[string]string, len(headers))
		}
		for _, k := range slices.Sorted(maps.Keys(headers)) {
			name := http.CanonicalHeaderKey(k)
			if name == "Authorization" {
				c.basic, c.bearer = false, ""
			}
			c.headers[name] = headers[k]
		}
	}
}

// WithBasicAuth sends user and password, a string or Secret, with every request.
func WithBasicAuth[S ~string](user string, password S) HTTPOption {
	return func(c *httpConfig) { c.user, c.password, c.basic, c.bearer = user, string(password), true, "" }
}

// WithBearerToken sends "Authorization: Bearer" and token, a string or Secret, with every request.
func WithBearerToken[S ~string](token S) HTTPOption {
	return func(c *httpConfig) { c.bearer, c.basic = string(token), false }
}

// WithTLS sets up https: roots, client certificates. nil is ignored.
func WithTLS(config *tls.Config) HTTPOption {
	return func(c *httpConfig) {
		if config != nil {
			c.tls = config.Clone()
		}
	}
}

// WithoutCompression sends bodies as they are. By default they are compressed with gzip, unless the endpoint is on
// the loopback interface, where compressing costs more than it saves.
func WithoutCompression() HTTPOption { return func(c *httpConfig) { c.gzip = new(false) } }

// withCompression compresses bodies whatever the endpoint.
func withCompression() HTTPOption { return func(c *httpConfig) { c.gzip = new(true) } }

// WithRetry replaces the default retries.
func WithRetry(r Retry) HTTPOption { return func(c *httpConfig) { c.retry = export.Retry(r) } }
