package httpmw

import (
	"context"
	"net/http"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Transport returns a RoundTripper that makes one client span of each round trip and sends its context along. The
// span ends when the response's body is read to its end, fails or is closed, at once if there is none, and at the
// latest with the request's context. A nil tracer is opentracing.GlobalTracer, asked anew for each request; a nil
// base is http.DefaultTransport. A second Transport for the same request steps aside.
func Transport(tracer opentracing.Tracer, base http.RoundTripper, opts ...ClientOption) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	c := &config{values: newValueCache()}
	for _, o := range opts {
		if o != nil {
			o.client(c)
		}
	}
	return &transport{config: c.done(ext.SpanKindRPCClientEnum), tracer: tracer, base: base}
}

// Client returns a copy of base, or of http.DefaultClient if it is nil, that sends by Transport.
func Client(tracer opentracing.Tracer, base *http.Client, opts ...ClientOption) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	c := *base
	c.Transport = Transport(tracer, base.Transport, opts...)
	return &c
}

type routeKey struct{}

// ContextWithRoute returns a context whose client spans are named by the method and this template, such as
// "/users/{id}", and tagged with it as url.template. It must be one of a bounded number.
func ContextWithRoute(ctx context.Context, template string) context.Context {
	return context.WithValue(ctx, routeKey{}, template)
}

type transport struct {
	*config
	tracer opentracing.Tracer
	base   http.RoundTripper
}

// Unwrap returns the transport below.
func (t *transport) Unwrap() http.RoundTripper { return t.base }

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// clientTags is how many tags a round trip's span usually gets after its start.
const clientTags = 7

// call is the state of one round trip. It also is the context that the base sees, and the body of the response.
type call struct {
	*transport
	span      rpcspan.Span
	original  *http.Request
	parent    context.Context
	headers   http.Header // as sent
	template  string
	operation string        // name that the span was started with
	first     time.Duration // from start to the response's header
	status    int
	events    *connEvents
	body      responseBody
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	tracer, on := rpcspan.Tracer(t.tracer)
	if !on || r.URL == nil || r.Header == nil || sent(r) {
		return t.base.RoundTrip(r)
	}
	c := &call{transport: t, original: r, parent: r.Context()}
	if !callPredicate(&c.span, t.filter, r, true, true) {
		return c.pass(tracer)
	}
	c.begin(tracer)
	out := r.WithContext(c.context())
	if callPredicate(&c.span, t.inject, r, true, false) {
		self := c.span.Parent()
		inject(out, tracer, &self)
	}
	c.headers = out.Header
	return c.send(out)
}

func (c *call) begin(tracer opentracing.Tracer) {
	c.template, _ = c.parent.Value(routeKey{}).(string)
	c.operation = c.nameOf(c.original)
	parent := rpcspan.Active(c.parent)
	recording := c.span.Start(tracer, &rpcspan.StartInfo{Name: c.operation, StartTags: c.startTags, Tags: c.tags, SpareTags: clientTags}, &parent)
	c.parent = c.span.TracerContext(c.parent)
	n, last := c.resends()
	if recording {
		l := rpcspan.Tags{Span: &c.span, Vocabulary: c.semconv, UserKeys: c.userKeys}
		t := tagWriter{c.config, &c.span, &l}
		t.clientRequest(c.original, c.template)
		if n > 0 {
			t.add(semconv.HTTPResendCount, n)
		}
		l.Flush()
		c.span.LinkTo(last)
	}
}

func (c *call) nameOf(r *http.Request) string {
	if c.name != nil {
		if name := c.nameByHook(r); name != "" {
			return name
		}
	}
	return c.values.name(nameMethod(r.Method), c.template)
}

func (c *call) nameByHook(r *http.Request) (name string) {
	defer c.span.RecoverHook()
	return c.name(r, c.template)
}

// send does the round trip, and ends the span on every way out but a body still to be read.
func (c *call) send(out *http.Request) (resp *http.Response, err error) {
	done := false
	defer func() {
		if done {
			return
		}
		value := recover()
		c.end(ending{panic: value, goexit: value == nil})
		if value != nil {
			panic(value)
		}
	}()
	resp, err = c.base.RoundTrip(out)
	done = true
	c.restore(resp, out)
	if err != nil || resp == nil {
		c.end(ending{err: err})
		return resp, err
	}
	return c.received(resp), nil
}

// received notes the response's header, and watches the body of the response that it returns if there is one.
func (c *call) received(resp *http.Response) *http.Response {
	c.first = time.Since(c.span.StartTime())
	c.status = resp.StatusCode
	if c.span.Recording() {
		l := rpcspan.Tags{Span: &c.span, Vocabulary: c.semconv, UserKeys: c.userKeys}
		t := tagWriter{c.config, &c.span, &l}
		t.status(resp.StatusCode)
		t.protocol(resp.ProtoMajor, resp.ProtoMinor)
		t.headers(t.respTags, resp.Header, "")
		l.Flush()
	}
	if headerOnly(c.original.Method, resp) {
		c.end(ending{})
		return resp
	}
	return c.watch(resp)
}

// headerOnly reports whether there is no body to wait for. After 101 the body is the connection, and its caller's.
func headerOnly(method string, resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusNoContent, http.StatusNotModified, http.StatusSwitchingProtocols:
		return true
	}
	return method == http.MethodHead || resp.Body == nil || resp.Body == http.NoBody
}

func (c *call) end(e ending) {
	if !c.span.TryFinish() {
		return
	}
	v := c.outcome(e)
	l := rpcspan.Tags{Span: &c.span, Vocabulary: c.semconv, UserKeys: c.userKeys}
	t := tagWriter{c.config, &c.span, &l}
	t.complete(&v, c.original, true)
	isError := c.hooks.ended(&c.span, c.original, &v.Outcome)
	var logs []opentracing.LogRecord
	if c.events != nil {
		logs = c.events.close(t)
	}
	if c.span.Recording() {
		size := v.BytesIn
		if c.body.inner == nil {
			size = -1
		}
		t.sizes(v.BytesOut, size)
		if size >= 0 && c.body.length < 0 {
			t.firstByte(c.first)
		}
		if e.incomplete {
			t.add(semconv.HTTPBodyIncomplete, true)
		}
		t.recordResult(&v, isError)
	}
	var at time.Time
	if e.at > 0 {
		at = c.span.StartTime().Add(e.at)
	}
	c.span.Finish(at, logs, &l)
}
