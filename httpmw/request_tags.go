package httpmw

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
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
		t.add(semconv.HTTPUserAgent, t.values.text(model.Cut(agent, maxCached)))
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

func (t tagWriter) ip(ip netip.Addr) any { return t.values.text(ip.WithZone("").String()) }

// server sets OpenTelemetry's address of the server. Without a port in hostport, it is otherwise; port 0 is not set.
func (t tagWriter) server(hostport string, otherwise uint16) {
	host, port := splitHostPort(hostport)
	if port == 0 {
		port = otherwise
	}
	if host != "" {
		t.add(semconv.ServerAddress, t.values.text(host))
	}
	if port != 0 {
		t.add(semconv.ServerPort, portTag(port))
	}
}

// portTag boxes the usual ports without allocating.
func portTag(port uint16) any {
	switch port {
	case 80:
		return uint16(80)
	case 443:
		return uint16(443)
	}
	return port
}

// splitHostPort is net.SplitHostPort for hosts that may lack a port, which then is 0.
func splitHostPort(hostport string) (host string, port uint16) {
	host = hostport[strings.LastIndexByte(hostport, '@')+1:]
	if len(host) > maxURL {
		return "", 0
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		if n, err := strconv.ParseUint(host[colon+1:], 10, 16); err == nil {
			port = uint16(n)
		}
		host = host[:colon]
	}
	return strings.Trim(host, "[]"), port
}

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

// defaultPort returns the port of URLs that name none, 0 if the scheme has no default. Transports may know schemes of
// their own, such as file or unix, which go to no port at all.
func defaultPort(scheme string) uint16 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}
