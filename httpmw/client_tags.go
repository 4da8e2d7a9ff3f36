package httpmw

import (
	"net/http"

	"github.com/spanloom/spanloom/internal/semconv"
)

// clientRequest sets what a client knows when it sends a request.
func (t tagWriter) clientRequest(r *http.Request, template string) {
	t.method(r.Method)
	t.add(semconv.HTTPURL, recordedURL(t.span, t.config, r, "").full)
	if semconv.WritesOpenTracing(t.semconv) {
		host, port := splitHostPort(r.URL.Host)
		if port == 0 {
			port = defaultPort(r.URL.Scheme)
		}
		if host != "" {
			t.add(semconv.PeerHostname, t.values.text(host))
		}
		if host != "" && port != 0 {
			t.add(semconv.PeerPort, portTag(port))
		}
	}
	if semconv.WritesOTel(t.semconv) && r.URL.Host != "" {
		t.server(r.URL.Host, defaultPort(r.URL.Scheme))
	}
	if template != "" {
		t.add(semconv.URLTemplate, t.values.text(template))
	}
	if service := callString(t.span, t.service, r); service != "" {
		t.add(semconv.PeerService, t.values.text(service))
	}
	t.headers(t.reqTags, r.Header, r.Host)
}
