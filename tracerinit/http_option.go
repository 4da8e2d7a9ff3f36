package tracerinit

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	token    export.TokenSource // nil: none
	tls      *tls.Config
	tlsFiles *export.TLSFiles                      // nil: tls
	gzip     *bool                                 // nil: the default of the exporter
	proxy    func(*http.Request) (*url.URL, error) // nil: that of the environment
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
				c.basic, c.bearer, c.token = false, "", nil
			}
			c.headers[name] = headers[k]
		}
	}
}

// WithBasicAuth sends user and password, a string or Secret, with every request.
func WithBasicAuth[S ~string](user string, password S) HTTPOption {
	return func(c *httpConfig) {
		c.user, c.password, c.basic, c.bearer, c.token = user, string(password), true, "", nil
	}
}

// WithBearerToken sends "Authorization: Bearer" and token, a string or Secret, with every request.
func WithBearerToken[S ~string](token S) HTTPOption {
	return func(c *httpConfig) { c.bearer, c.basic, c.token = strings.TrimSpace(string(token)), false, nil }
}

// WithTokenSource calls token before every request and sends "Authorization: Bearer" and its result: for tokens that
// expire. The source keeps a token as long as it is good; after a 401 it is called once more. An error, a panic, or no
// result within the time of one attempt is a failure that is tried again. The context has the deadline of the attempt,
// and requests made with it are not traced by this module. There is one call at a time. nil is ignored.
func WithTokenSource(token func(context.Context) (Secret, error)) HTTPOption {
	return func(c *httpConfig) {
		if token != nil {
			c.token, c.basic, c.bearer = tokenSource(token), false, ""
		}
	}
}

func tokenSource(token func(context.Context) (Secret, error)) export.TokenSource {
	return func(ctx context.Context) (string, error) {
		s, err := token(ctx)
		return string(s), err
	}
}

// WithTLS sets up https: roots, client certificates. nil is ignored.
func WithTLS(config *tls.Config) HTTPOption {
	return func(c *httpConfig) {
		if config != nil {
			c.tls, c.tlsFiles = config.Clone(), nil
		}
	}
}

// WithCompression compresses every body with gzip. Use it with [JaegerHTTP] only if the receiver is an OpenTelemetry
// Collector or Jaeger v2: collectors of Jaeger v1 cannot read compressed thrift and refuse it ("Unknown data type 31").
func WithCompression() HTTPOption {
	gzip := true
	return func(c *httpConfig) { c.gzip = &gzip }
}

// WithoutCompression sends every body as it is. Without this option and [WithCompression], [OTLPHTTP] compresses with
// gzip unless the endpoint is on the loopback interface, where compressing costs more than it saves. It stops if the
// receiver refuses the batch, or ends the connection, and takes it uncompressed. [JaegerHTTP] never compresses.
func WithoutCompression() HTTPOption {
	gzip := false
	return func(c *httpConfig) { c.gzip = &gzip }
}

// WithRetry replaces the default retries.
func WithRetry(r Retry) HTTPOption { return func(c *httpConfig) { c.retry = export.Retry(r) } }
