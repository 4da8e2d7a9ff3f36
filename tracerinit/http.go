package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
)

// OTLPHTTP sends spans as OTLP protobuf over HTTP, to a collector, Jaeger or a vendor. endpoint is an http or https
// URL; its path is kept as it is written, and is /v1/traces if there is none. Its path, query and password count as
// secrets, since vendors put tokens there.
func OTLPHTTP(endpoint string, opts ...HTTPOption) Exporter {
	return httpExporter(httpKind{"otlp/http", "/v1/traces", "application/x-protobuf", true, newOTLPSender}, endpoint, opts)
}

// JaegerHTTP sends spans as Jaeger thrift over HTTP to a collector, without an agent. endpoint is an http or https
// URL; its path is kept as it is written, and is /api/traces if there is none. Its path, query and password count as
// secrets, since vendors put tokens there. Bodies are not compressed, since collectors of Jaeger v1 cannot read
// compressed thrift; see [WithCompression].
func JaegerHTTP(endpoint string, opts ...HTTPOption) Exporter {
	return httpExporter(httpKind{"jaeger/http", "/api/traces", "application/x-thrift", false, newJaegerSender}, endpoint, opts)
}

// httpKind is what the exporters over HTTP differ in.
type httpKind struct {
	name, path, contentType string
	mayCompress             bool // bodies to other hosts are compressed unless an option says otherwise
	build                   func(httpSender) export.Sender
}

func httpExporter(kind httpKind, endpoint string, opts []HTTPOption) Exporter {
	var c httpConfig
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	u, err := export.ParseURL(endpoint, kind.path)
	f := export.Factory{Name: kind.name, Endpoint: "***", Retry: c.retry}
	if err == nil {
		f.Endpoint = export.MaskURL(u, kind.path)
	}
	f.Open = func(env export.Env) (export.Sender, error) {
		if err != nil {
			return nil, err
		}
		header, err := c.header()
		if err != nil {
			return nil, err
		}
		redactor := c.redactor(u, kind.path)
		redactor.AddTags(env.Process.Tags) // some vendors want their token there
		post := export.NewPoster(export.PostConfig{
			Remote: export.Remote{Name: kind.name, Host: u.Host, Redactor: redactor},
			URL:    u, ContentType: kind.contentType, Header: header, TLS: c.tls, Proxy: c.proxy,
			Gzip: c.compress(u, kind.mayCompress),
		})
		return kind.build(httpSender{Poster: post, process: env.Process}), nil
	}
	return f
}

// header is what the options add to every request.
func (c *httpConfig) header() (http.Header, error) {
	h := make(http.Header, len(c.headers)+1)
	for k, v := range c.headers {
		if !export.ValidHeader(k, v) {
			return nil, fmt.Errorf("header %q: its name or value cannot be sent in HTTP", k)
		}
		h.Set(k, v)
	}
	switch {
	case c.basic:
		(&http.Request{Header: h}).SetBasicAuth(c.user, c.password)
	case c.bearer != "" && !export.ValidHeader("Authorization", c.bearer):
		return nil, errors.New("the bearer token cannot be sent in HTTP")
	case c.bearer != "":
		h.Set("Authorization", "Bearer "+c.bearer)
	}
	return h, nil
}

func (c *httpConfig) compress(u *url.URL, byDefault bool) bool {
	if c.gzip != nil {
		return *c.gzip
	}
	return byDefault && !export.Loopback(u.Hostname())
}

func (c *httpConfig) redactor(u *url.URL, path string) (r export.Redactor) {
	r.AddURL(u, path)
	r.Add(c.password, c.bearer)
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
