package httpmw

import (
	"net/http"

	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/semconv"
)

// serverRequest sets what a server knows when a request comes in.
func (t tagWriter) serverRequest(r *http.Request) {
	t.method(r.Method)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	var loc location
	if r.URL != nil { // no server makes such a request, but a test may
		loc = recordedURL(t.span, t.config, r, scheme)
		t.add(semconv.HTTPServerURL, loc.full)
	}
	if semconv.WritesOTel(t.semconv) {
		t.add(semconv.URLScheme, scheme)
		t.add(semconv.URLPath, loc.path)
		if loc.query != "" {
			t.add(semconv.URLQuery, loc.query)
		}
		t.server(r.Host, 0)
		t.protocol(r.ProtoMajor, r.ProtoMinor)
	}
	if r.RemoteAddr != "" {
		t.serverPeer(t.values.peer(r.RemoteAddr), r.Header)
	}
	if agent := r.UserAgent(); agent != "" {
		t.add(semconv.HTTPUserAgent, t.values.agent(agent))
	}
	t.headers(t.reqTags, r.Header, r.Host)
}

func (t tagWriter) serverPeer(p *peer, h http.Header) {
	t.peer(p)
	client := p.ip
	if len(t.proxies) > 0 && p.ip.IsValid() {
		client = clientIP(p.ip, h, t.proxies)
		t.add(semconv.HTTPClientIP, t.ip(client))
	}
	if semconv.WritesOTel(t.semconv) && client.IsValid() {
		t.add(semconv.ClientAddress, t.ip(client))
	}
}

// tagRequest adds the tags of the request, unless the span already has them.
func (s *serverState) tagRequest(t tagWriter) {
	if s.tagged {
		return
	}
	s.tagged = true
	t.serverRequest(s.original)
	t.tags.AddBaggage(t.baggageTags)
}

// addRequestTags adds the tags of the request if the span was not sampled when it started. jaeger-client-go has
// dropped those that it started with.
func (s *serverState) addRequestTags(t tagWriter) {
	if !s.tagged {
		s.span.SetTag(semconv.KeySpanKind, ext.SpanKindRPCServerEnum)
		s.span.SetTags(s.config.tags...)
		s.tagRequest(t)
	}
}

// tagResponse adds the tags of the response.
func (s *serverState) tagResponse(t tagWriter, v *result, writeErr error) {
	if v.Route != "" {
		t.add(semconv.HTTPRoute, t.values.text(v.Route))
	}
	t.status(v.Status)
	size := v.BytesOut
	if v.Hijacked || s.original.Method == http.MethodHead {
		size = -1
	}
	t.sizes(v.BytesIn, size)
	if v.Hijacked {
		t.add(semconv.HTTPHijacked, true)
	}
	if v.Aborted {
		t.add(semconv.HTTPAborted, true)
	}
	if s.out.flushed && s.out.first != 0 {
		t.add(semconv.HTTPStreaming, true)
		t.firstByte(v.FirstByte)
	}
	if writeErr != nil {
		t.add(semconv.HTTPWriteError, t.message(writeErr))
	}
	s.out.tagHeader(t)
}
