package httpmw_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

func eventNames(span *mocktracer.MockSpan) map[string]bool {
	names := map[string]bool{}
	for _, rec := range span.Logs() {
		names[rec.Fields[0].ValueString] = true
	}
	return names
}

func TestConnectionEventsAreLogged(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(ok), protocols["h2"])
	var theirs atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { theirs.Add(1) }})
	resp, err := httpmw.Client(tracer, srv.Client(), httpmw.WithConnectionEvents()).Do(newGet(ctx, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span := one(t, tracer)
	names := eventNames(span)
	for _, want := range []string{"GetConn", "ConnectStart", "ConnectDone", "TLSHandshakeDone", "GotConn", "WroteRequest", "GotFirstResponseByte"} {
		if !names[want] {
			t.Errorf("no event %s among %v", want, names)
		}
	}
	wantTags(t, span, map[string]any{"peer.ipv4": "127.0.0.1", "peer.address": srv.Listener.Addr().String(), "net/http.reused": false})
	if theirs.Load() != 1 {
		t.Error("the caller's own hook was lost")
	}
}

// TestConnectionEventsInAnyOrder: hooks run at once, out of order, with nothing in them, and after the end.
func TestConnectionEventsInAnyOrder(t *testing.T) {
	tracer := spantest.New(t)
	var ct *httptrace.ClientTrace
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		ct = httptrace.ContextClientTrace(r.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ct.PutIdleConn(nil)
				ct.GotConn(httptrace.GotConnInfo{})
				ct.ConnectDone("tcp", "1.1.1.1:1", errors.New("refused"))
				ct.DNSDone(httptrace.DNSDoneInfo{})
				ct.TLSHandshakeDone(tls.ConnectionState{}, nil)
				for range 100 {
					ct.GotFirstResponseByte()
				}
			})
		}
		wg.Wait()
		return &http.Response{StatusCode: 204}, nil
	}), httpmw.WithConnectionEvents())
	rt.RoundTrip(newGet(t.Context(), "http://a.example/"))
	n := len(one(t, tracer).Logs())
	ct.PutIdleConn(nil)
	if after := len(one(t, tracer).Logs()); n == 0 || n > 64 || after != n {
		t.Errorf("%d events, %d after a late one", n, after)
	}
}

// TestConnectionEventsWithBrokenErrors: net/http reports them in goroutines of its own, where a panic ends the program.
func TestConnectionEventsWithBrokenErrors(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	for name, cause := range map[string]error{
		"nil":  (*brokenError)(nil),
		"long": errors.New(strings.Repeat("x", 5000)),
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			r, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, errReader{cause})
			if _, err := httpmw.Client(tracer, srv.Client(), httpmw.WithConnectionEvents()).Do(r); !errors.Is(err, cause) {
				t.Errorf("error %T, want the body's own", err)
			}
			for _, rec := range one(t, tracer).Logs() {
				if all := fmt.Sprint(rec.Fields); len(all) > 2000 {
					t.Errorf("event of %d bytes", len(all))
				}
			}
		})
	}
}
