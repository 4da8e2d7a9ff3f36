package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// tagger sets tags in the chosen vocabulary, and leaves alone those that the user has set.
type tagger struct {
	*config
	span *rpcspan.Span
}

func (t tagger) set(key string, value any) {
	if t.taken == nil || !t.taken[key] {
		t.span.SetTag(key, value)
	}
}

// both sets one fact under its names in both vocabularies.
func (t tagger) both(opentracing, otel string, value any) {
	if t.semconv.OpenTracing() {
		t.set(opentracing, value)
	}
	if t.semconv.OTel() {
		t.set(otel, value)
	}
}

func (t tagger) own() {
	for _, tag := range t.tags {
		t.span.SetTag(tag.Key, tag.Value)
	}
}

// otherMethod stands for all methods that the kit does not know, since callers can make up any number of them.
const otherMethod = "_OTHER"

// methodTag returns the method as a tag, and whether it is a known one.
func methodTag(method string) (tag any, known bool) {
	switch method {
	case http.MethodGet, "":
		return http.MethodGet, true
	case http.MethodPost:
		return http.MethodPost, true
	case http.MethodPut:
		return http.MethodPut, true
	case http.MethodPatch:
		return http.MethodPatch, true
	case http.MethodDelete:
		return http.MethodDelete, true
	case http.MethodHead:
		return http.MethodHead, true
	case http.MethodOptions:
		return http.MethodOptions, true
	case http.MethodConnect:
		return http.MethodConnect, true
	case http.MethodTrace:
		return http.MethodTrace, true
	case "QUERY":
		return "QUERY", true
	}
	return otherMethod, false
}

// nameMethod returns the method as it stands in operation names.
func nameMethod(method string) string {
	tag, known := methodTag(method)
	if !known {
		return "HTTP"
	}
	return tag.(string)
}

func (t tagger) method(method string) {
	tag, known := methodTag(method)
	t.both("http.method", "http.request.method", tag)
	if !known {
		t.both("http.method_original", "http.request.method_original", model.Cut(method, 64))
	}
}

// statusTags are boxed status codes.
var statusTags = func() (tags [600]any) {
	for code := range tags {
		tags[code] = uint16(code)
	}
	return tags
}()

// status sets the status code. OpenTracing's name is set in all vocabularies: Jaeger derives a span's status from
// it and knows no other.
func (t tagger) status(code int) {
	if code <= 0 || code > 999 {
		return
	}
	tag := any(uint16(code))
	if code < len(statusTags) {
		tag = statusTags[code]
	}
	t.set("http.status_code", tag)
	if t.semconv.OTel() {
		t.set("http.response.status_code", tag)
	}
}

func (t tagger) sizes(request, response int64) {
	if request > 0 {
		t.both("http.request_size", "http.request.body.size", request)
	}
	if response >= 0 {
		t.both("http.response_size", "http.response.body.size", response)
	}
}

// peer sets the address of the other end of the connection.
func (t tagger) peer(p *peer) {
	if t.semconv.OpenTracing() {
		t.set("peer.address", p.address)
		if p.host != nil && p.ip.Is4() {
			t.set("peer.ipv4", p.host)
		} else if p.host != nil {
			t.set("peer.ipv6", p.host)
		}
		if p.port != nil {
			t.set("peer.port", p.port)
		}
	}
	if t.semconv.OTel() {
		host := p.host
		if host == nil {
			host = p.address
		}
		t.set("network.peer.address", host)
		if p.port != nil {
			t.set("network.peer.port", p.port)
		}
	}
}

func (t tagger) protocol(major, minor int) {
	if !t.semconv.OTel() {
		return
	}
	version := strconv.Itoa(major)
	if major < 2 {
		version += "." + strconv.Itoa(minor)
	}
	t.set("network.protocol.version", t.boxes.text(version))
}

// maxHeaderTag bounds recorded header values.
const maxHeaderTag = 1024

func (t tagger) headers(tags []headerTag, h http.Header, host string) {
	for _, tag := range tags {
		values := h[tag.header]
		if tag.header == "Host" && len(values) == 0 && host != "" {
			values = []string{host}
		}
		if len(values) > 0 {
			t.set(tag.tag, model.Cut(strings.Join(values, ", "), maxHeaderTag))
		}
	}
}

// serverRequest sets what a server knows when a request comes in.
func (t tagger) serverRequest(r *http.Request) {
	t.own()
	t.method(r.Method)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	loc := locate(t.span, t.config, r, scheme)
	if t.semconv.OpenTracing() {
		t.set("http.url", loc.full)
	}
	if t.semconv.OTel() {
		t.set("url.scheme", scheme)
		t.set("url.path", loc.path)
		if loc.query != "" {
			t.set("url.query", loc.query)
		}
		t.server(r.Host, 0)
		t.protocol(r.ProtoMajor, r.ProtoMinor)
	}
	if r.RemoteAddr != "" {
		t.serverPeer(t.boxes.peer(r.RemoteAddr), r.Header)
	}
	if agent := r.UserAgent(); agent != "" {
		t.both("http.user_agent", "user_agent.original", t.boxes.text(model.Cut(agent, maxBoxed)))
	}
	t.headers(t.reqTags, r.Header, r.Host)
}

func (t tagger) serverPeer(p *peer, h http.Header) {
	t.peer(p)
	client := p.ip
	if len(t.proxies) > 0 && p.ip.IsValid() {
		client = clientIP(p.ip, h, t.proxies)
		if t.semconv.OpenTracing() {
			t.set("http.client_ip", t.ip(client))
		}
	}
	if t.semconv.OTel() && client.IsValid() {
		t.set("client.address", t.ip(client))
	}
}

func (t tagger) ip(ip netip.Addr) any { return t.boxes.text(ip.WithZone("").String()) }

// server sets OpenTelemetry's address of the server; its port unless that is port 0.
func (t tagger) server(hostport string, defaultPort uint16) {
	host, port := splitHostPort(hostport)
	if port == 0 {
		port = defaultPort
	}
	if host != "" {
		t.set("server.address", t.boxes.text(host))
	}
	if port != 0 {
		t.set("server.port", portTag(port))
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
func (t tagger) clientRequest(r *http.Request, template string) {
	t.own()
	t.method(r.Method)
	loc := locate(t.span, t.config, r, "")
	t.both("http.url", "url.full", loc.full)
	defaultPort := uint16(80)
	if r.URL.Scheme == "https" {
		defaultPort = 443
	}
	if t.semconv.OpenTracing() {
		host, port := splitHostPort(r.URL.Host)
		if port == 0 {
			port = defaultPort
		}
		t.set("peer.hostname", t.boxes.text(host))
		t.set("peer.port", portTag(port))
	}
	if t.semconv.OTel() {
		t.server(r.URL.Host, defaultPort)
	}
	if template != "" {
		t.set("url.template", t.boxes.text(template))
	}
	if service := tell(t.span, t.service, r); service != "" {
		t.set(string(ext.PeerService), t.boxes.text(service))
	}
	if n := resends(r); n > 0 {
		t.set("http.request.resend_count", n)
	}
	t.headers(t.reqTags, r.Header, r.Host)
}

// resends counts the redirects that led to r.
func resends(r *http.Request) (n int) {
	const enough = 100
	for r.Response != nil && r.Response.Request != nil && n < enough {
		r = r.Response.Request
		n++
	}
	return n
}

// failure is why a span is marked as failed.
type failure struct{ kind, message string }

// judge marks a failed span, with one log that says why. One that did not fail still tells what went wrong, and, if
// suspect, that its status is no error: backends derive errors from status codes.
func (t tagger) judge(o Outcome, failed bool, why failure, suspect bool) {
	if failed && o.Panic != nil {
		t.span.Panicked(o.Panic)
		return
	}
	if why.kind == "" && o.Err != nil {
		why = failure{errorType(o.Err), o.Err.Error()}
	}
	if failed {
		if why.kind == "" {
			why = failure{strconv.Itoa(o.Status), http.StatusText(o.Status)}
		}
		t.set("otel.status_description", model.Cut(why.message, maxHeaderTag))
		t.span.Fail(why.kind, why.message, nil)
		t.set("error.type", why.kind)
		return
	}
	if o.Err != nil {
		t.set("error.type", why.kind)
	}
	if suspect {
		t.set("otel.status_code", "OK")
	}
}

// Values of error.type for requests that were given up.
const (
	canceled = "context_canceled"
	timeout  = "timeout"
)

// errorType classifies an error: canceled, timeout, or the type it has.
func errorType(err error) string {
	var timer interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timer) && timer.Timeout():
		return timeout
	}
	return fmt.Sprintf("%T", err)
}

// verdict calls the user's hook and returns whether the span failed.
func (t tagger) verdict(r *http.Request, o Outcome) bool {
	if t.outcome == nil {
		return o.IsError
	}
	return t.verdictOfHook(r, o)
}

func (t tagger) verdictOfHook(r *http.Request, o Outcome) (isError bool) {
	isError = o.IsError
	defer t.span.Contain()
	t.outcome(t.span.OpenTracing(), r, &o)
	return o.IsError
}
