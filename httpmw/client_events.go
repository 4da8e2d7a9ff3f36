package httpmw

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// maxEvents bounds the events of one round trip.
const maxEvents = 64

// connEvents collects the events of a round trip that httptrace reports. Its hooks may run at the same time, in any
// order and after the end. What comes after the end is dropped.
type connEvents struct {
	tags   tagWriter // of the span that they are for
	mu     sync.Mutex
	closed bool
	logs   []opentracing.LogRecord
	addr   string
	reused bool
}

func (e *connEvents) add(event string, fields ...log.Field) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.logs) >= maxEvents {
		return
	}
	e.logs = append(e.logs, opentracing.LogRecord{
		Timestamp: time.Now(), Fields: append([]log.Field{log.Event(event)}, fields...),
	})
}

// done adds an event with an error, if there is one.
func (e *connEvents) done(event string, err error, fields ...log.Field) {
	if err != nil {
		fields = append(fields, log.Message(model.Cut(e.tags.message(err), semconv.MaxHeader)))
	}
	e.add(event, fields...)
}

func (e *connEvents) gotConn(info httptrace.GotConnInfo) {
	e.add("GotConn", log.Bool("reused", info.Reused), log.Bool("was_idle", info.WasIdle))
	if info.Conn == nil || info.Conn.RemoteAddr() == nil {
		return
	}
	addr := info.Conn.RemoteAddr().String()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addr, e.reused = addr, info.Reused
}

// close adds the address to the tags of t and returns the events. Nothing is collected after it.
func (e *connEvents) close(t tagWriter) []opentracing.LogRecord {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.addr != "" && t.span.Recording() {
		p := t.values.peer(e.addr)
		p = &peer{addr: p.addr, ip: p.ip, address: p.address, host: p.host} // peer.port is the URL's
		t.peer(p)
		t.set("net/http.reused", e.reused)
	}
	return e.logs
}

func (e *connEvents) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:              func(hostPort string) { e.add("GetConn", log.String("target", hostPort)) },
		GotConn:              e.gotConn,
		GotFirstResponseByte: func() { e.add("GotFirstResponseByte") },
		Got100Continue:       func() { e.add("Got100Continue") },
		DNSStart:             func(i httptrace.DNSStartInfo) { e.add("DNSStart", log.String("host", i.Host)) },
		DNSDone:              func(i httptrace.DNSDoneInfo) { e.done("DNSDone", i.Err, log.Int("addresses", len(i.Addrs))) },
		ConnectStart: func(network, addr string) {
			e.add("ConnectStart", log.String("network", network), log.String("address", addr))
		},
		ConnectDone: func(network, addr string, err error) {
			e.done("ConnectDone", err, log.String("network", network), log.String("address", addr))
		},
		TLSHandshakeStart: func() { e.add("TLSHandshakeStart") },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			e.done("TLSHandshakeDone", err, log.Bool("resumed", state.DidResume))
		},
		WroteHeaders:    func() { e.add("WroteHeaders") },
		Wait100Continue: func() { e.add("Wait100Continue") },
		WroteRequest:    func(i httptrace.WroteRequestInfo) { e.done("WroteRequest", i.Err) },
		PutIdleConn:     func(err error) { e.done("PutIdleConn", err) },
	})
}
