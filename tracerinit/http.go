package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/header"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
)

// OTLPHTTP sends spans as OTLP protobuf over HTTP, to a collector, Jaeger or a vendor. endpoint is an http or https
// URL; its path is kept as it is written, and is /v1/traces if there is none. Its path, query and password count as
// secrets, since vendors put tokens there.
func OTLPHTTP(endpoint string, opts ...HTTPOption) Exporter {
	return httpExporter(&otlpKind, endpoint, opts)
}

// JaegerHTTP sends spans as Jaeger thrift over HTTP to a collector, without an agent. endpoint is an http or https
// URL; its path is kept as it is written, and is /api/traces if there is none. Its path, query and password count as
// secrets, since vendors put tokens there. Bodies are not compressed, since collectors of Jaeger v1 cannot read
// compressed thrift; see [WithCompression].
func JaegerHTTP(endpoint string, opts ...HTTPOption) Exporter {
	return httpExporter(&jaegerKind, endpoint, opts)
}

// httpKind is what the exporters over HTTP differ in.
type httpKind struct {
	name, path, contentType string
	gzip                    export.Gzip         // for other hosts, unless an option says otherwise
	retry                   func(code int) bool // reports whether a status may pass
	suspect                 bool                // a 5xx may be due to the batch
	grpcHint                string
	build                   func(httpSender) export.Sender
}

// otlpKind follows https://opentelemetry.io/docs/specs/otlp/#otlphttp.
var otlpKind = httpKind{
	name: "otlp/http", path: "/v1/traces", contentType: "application/x-protobuf", gzip: export.GzipAuto,
	retry: func(code int) bool {
		switch code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	},
	grpcHint: "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc or use otlpgrpc.New, or use the port for HTTP, mostly 4318",
	build:    newOTLPSender,
}

// jaegerKind is for collectors of Jaeger v1, which cannot read compressed thrift. A collector of OpenTelemetry, or of
// Jaeger v2, answers 500 where others answer 503.
var jaegerKind = httpKind{
	name: "jaeger/http", path: "/api/traces", contentType: "application/x-thrift", suspect: true,
	retry:    func(code int) bool { return code == http.StatusTooManyRequests || code/100 == 5 },
	grpcHint: "use the collector's port for thrift over HTTP, mostly 14268",
	build:    newJaegerSender,
}

func httpExporter(kind *httpKind, endpoint string, opts []HTTPOption) Exporter {
	var c httpConfig
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	u, err := export.ParseURL(endpoint, kind.path)
	f := export.Factory{Name: kind.name, Endpoint: mask, Retry: c.retry}
	if err == nil {
		f.Endpoint = export.MaskURL(u, kind.path)
	}
	f.Open = func(env export.Env) (export.Sender, error) {
		if err != nil {
			return nil, err
		}
		post, err := c.poster(kind, u, env)
		if err != nil {
			return nil, err
		}
		return kind.build(httpSender{Poster: post, process: env.Process}), nil
	}
	return builtin{f}
}

func (c *httpConfig) poster(kind *httpKind, u *url.URL, env export.Env) (*export.Poster, error) {
	header, err := c.header()
	if err != nil {
		return nil, err
	}
	redactor := c.redactor(u, kind.path)
	redactor.AddTags(env.Process.Tags) // some vendors want their token there
	post := export.PostConfig{
		Remote: export.Remote{Name: kind.name, Host: u.Host, Redactor: redactor},
		URL:    u, ContentType: kind.contentType, Header: header, Token: c.token,
		TLS: c.tls, Logger: env.Logger, Proxy: c.proxy,
		Gzip: c.compression(u, kind), Retry: kind.retry, Suspect: kind.suspect, GRPCHint: kind.grpcHint,
	}
	if c.tlsFiles != nil {
		post.TLSFiles = c.tlsFiles.Clone()
	}
	return export.NewPoster(post), nil
}

// header is what the options add to every request.
func (c *httpConfig) header() (http.Header, error) {
	h := make(http.Header, len(c.headers)+1)
	for k, v := range c.headers {
		if !header.IsName(k) || !header.IsValue(v) {
			return nil, fmt.Errorf("header %s: its name or value cannot be sent in HTTP", export.ShownHeader(k))
		}
		h.Set(k, v)
	}
	switch {
	case c.basic:
		(&http.Request{Header: h}).SetBasicAuth(c.user, c.password)
	case c.bearer != "" && !header.IsValue(c.bearer):
		return nil, errors.New("the bearer token cannot be sent in HTTP")
	case c.bearer != "":
		h.Set("Authorization", "Bearer "+c.bearer)
	}
	return h, nil
}

func (c *httpConfig) compression(u *url.URL, kind *httpKind) export.Gzip {
	switch {
	case c.gzip != nil && *c.gzip:
		return export.GzipAlways
	case c.gzip != nil || export.Loopback(u.Hostname()):
		return export.GzipNever
	}
	return kind.gzip
}

func (c *httpConfig) redactor(u *url.URL, path string) (r export.Redactor) {
	r.AddURL(u, path)
	r.Add(c.user, c.password, c.bearer)
	for _, v := range c.headers {
		r.Add(v)
	}
	return r
}

// httpSender is what the two senders over HTTP share.
type httpSender struct {
	*export.Poster
	process *model.Process
	buf     []byte
}

type otlpSender struct{ httpSender }

func newOTLPSender(s httpSender) export.Sender {
	s.Explain = otlp.StatusMessage
	return &otlpSender{s}
}

func (*otlpSender) AppendSpan(dst []byte, s *model.Span) []byte { return otlp.AppendSpan(dst, s) }

func (s *otlpSender) MaxBytes() int { return export.MessageBytes - otlp.Overhead(s.process) }

func (s *otlpSender) Send(ctx context.Context, b export.Batch) error {
	s.buf = otlp.AppendRequest(s.buf[:0], s.process, b.Spans)
	reply, err := s.Post(ctx, s.buf)
	if err != nil {
		return err
	}
	rejected, why, err := otlp.PartialSuccess(reply)
	if err != nil {
		return nil // a 200 says that the spans were taken, whatever its body
	}
	return s.Rejected(rejected, why)
}

type jaegerSender struct{ httpSender }

func newJaegerSender(s httpSender) export.Sender { return &jaegerSender{s} }

func (*jaegerSender) AppendSpan(dst []byte, s *model.Span) []byte {
	return thrift.AppendSpanBinary(dst, s)
}

func (s *jaegerSender) MaxBytes() int { return export.MessageBytes - thrift.BinaryOverhead(s.process) }

func (s *jaegerSender) Send(ctx context.Context, b export.Batch) error {
	s.buf = thrift.AppendBatchBinary(s.buf[:0], s.process, b.Spans)
	_, err := s.Post(ctx, s.buf)
	return err
}
