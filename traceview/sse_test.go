package traceview_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/traceview"
)

// stream is a live connection to a view.
type stream struct {
	t     *testing.T
	res   *http.Response
	lines *bufio.Scanner
}

func listen(t *testing.T, url string, header ...string) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close(); http.DefaultClient.CloseIdleConnections() })
	if kind := res.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("%d %s", res.StatusCode, kind)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{t, res, lines}
}

// next waits for an event and returns its id and content.
func (s *stream) next() (id string, up traceview.Update) {
	s.t.Helper()
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &up); err != nil {
				s.t.Fatal(err)
			}
			return id, up
		}
	}
	s.t.Fatal("the stream ended")
	return "", up
}

func serve(t *testing.T, v *traceview.View) *httptest.Server {
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	return server
}

func TestNewTracesAppearLive(t *testing.T) {
	v := newView(t, traceview.Config{})
	server := serve(t, v)
	put(t, v, "shop", root(1, noon, ms(1)))
	live := listen(t, server.URL+"/debug/traces/events?since=1")
	put(t, v, "shop", root(2, noon, ms(2)))
	id, up := live.next()
	for len(up.Rows) == 0 || !strings.Contains(up.Rows[0].HTML, "0abc0000000000000002") {
		id, up = live.next()
	}
	contains(t, up.Rows[0].HTML, `<tr class="trace c0" id="trace-`)
	contains(t, up.Matched, "2 traces")
	contains(t, up.Kept, "2 spans")

	put(t, v, "shop", root(3, noon, ms(3)))
	again := listen(t, server.URL+"/debug/traces/events?since=1", "Last-Event-ID", id)
	if _, up = again.next(); len(up.Rows) != 1 || up.Rows[0].ID[28:] != "0003" {
		t.Errorf("after a reconnect %d rows, want the third trace alone", len(up.Rows))
	}
}

func TestLiveRowsObeyTheFilter(t *testing.T) {
	v := newView(t, traceview.Config{})
	live := listen(t, serve(t, v).URL+"/debug/traces/events?service=stock")
	put(t, v, "shop", root(1, noon, ms(1)))
	put(t, v, "stock", root(2, noon, ms(1)))
	for {
		_, up := live.next()
		for _, row := range up.Rows {
			if row.ID[28:] != "0002" {
				t.Fatalf("a row of another service came: %s", row.HTML)
			}
			return
		}
	}
}

// A page that was opened before the first request can filter by what came since.
func TestLivePagesLearnNames(t *testing.T) {
	v := newView(t, traceview.Config{})
	live := listen(t, serve(t, v).URL+"/debug/traces/events?service=stock")
	put(t, v, "shop", root(1, noon, ms(1)))
	put(t, v, "stock", root(2, noon, ms(1)))
	_, up := live.next()
	for len(up.Services) < 2 {
		_, up = live.next()
	}
	if want := []string{"shop", "stock"}; !slices.Equal(up.Services, want) || !slices.Equal(up.Operations, []string{"GET /"}) {
		t.Errorf("services %q, operations %q; want %q and those of stock", up.Services, up.Operations, want)
	}
	put(t, v, "stock", root(3, noon, ms(1)))
	if _, up = live.next(); up.Services != nil || up.Operations != nil {
		t.Errorf("services %q and operations %q came again", up.Services, up.Operations)
	}
}

func TestLiveRowsAreEscaped(t *testing.T) {
	v := newView(t, traceview.Config{})
	live := listen(t, serve(t, v).URL+"/debug/traces/events")
	hostileTrace(t, v)
	for {
		if _, up := live.next(); len(up.Rows) > 0 {
			inert(t, "row", up.Rows[0].HTML)
			return
		}
	}
}

func TestShutdownDoesNotWaitForLivePages(t *testing.T) {
	v := newView(t, traceview.Config{})
	server := serve(t, v)
	live := listen(t, server.URL+"/debug/traces/events")
	put(t, v, "shop", root(1, noon, ms(1)))
	live.next()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownDoesNotWaitForPagesThatDoNotRead(t *testing.T) {
	v := newView(t, traceview.Config{})
	server := serve(t, v)
	for n := range uint64(traceview.MaxListLimit) {
		s := root(n+1, noon, ms(1))
		s.Name = strings.Repeat("<", traceview.MaxName) // four times as much in HTML
		put(t, v, "shop", s)
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /debug/traces/events?limit=%d HTTP/1.1\r\nHost: localhost\r\n\r\n", traceview.MaxListLimit)
	for seen := ""; !strings.Contains(seen, "event: traces"); {
		some := make([]byte, 64)
		n, err := conn.Read(some)
		if err != nil {
			t.Fatal(err)
		}
		seen += string(some[:n])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*traceview.WriteTime)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Error("a page that does not read holds the server:", err)
	}
}

func TestCloseEndsLivePages(t *testing.T) {
	v := newView(t, traceview.Config{})
	live := listen(t, serve(t, v).URL+"/debug/traces/events")
	put(t, v, "shop", root(1, noon, ms(1)))
	live.next()
	v.Close()
	for live.lines.Scan() {
	}
	if err := live.lines.Err(); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

func TestLivePagesAreBounded(t *testing.T) {
	v := newView(t, traceview.Config{})
	server := serve(t, v)
	for range traceview.MaxStreams {
		listen(t, server.URL+"/debug/traces/events")
	}
	res, err := http.Get(server.URL + "/debug/traces/events")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%d, want 503 and Retry-After", res.StatusCode)
	}
}

// plain is a writer that cannot flush.
type plain struct{ w http.ResponseWriter }

func (p plain) Header() http.Header         { return p.w.Header() }
func (p plain) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p plain) WriteHeader(status int)      { p.w.WriteHeader(status) }

func TestWithoutFlushingThePageIsLiveByPolling(t *testing.T) {
	v := newView(t, traceview.Config{})
	put(t, v, "shop", root(1, noon, ms(1)))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.ServeHTTP(plain{w}, r) })
	w := call(h, "GET", "/debug/traces/events?since=0", nil)
	contains(t, w.Body.String(), "event: traces\ndata: ")
	contains(t, w.Body.String(), "retry: 2000")
}

func TestServersDeadlinesDoNotEndLivePages(t *testing.T) {
	v := newView(t, traceview.Config{})
	server := httptest.NewUnstartedServer(v)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	live := listen(t, server.URL+"/debug/traces/events")
	<-time.After(time.Second) // both deadlines are over
	put(t, v, "shop", root(1, noon, ms(1)))
	for {
		if _, up := live.next(); len(up.Rows) == 1 {
			return
		}
	}
}
