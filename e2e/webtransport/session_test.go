package webtransport_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type middleware = func(http.Handler) http.Handler

// seen is what one side noticed.
type seen struct {
	mu    sync.Mutex
	lines []string
}

func (s *seen) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// The server looks for interfaces of its own in the writer, and for a key of its own in the context.
func TestSessionsWorkAsBare(t *testing.T) {
	bare := func(h http.Handler) http.Handler { return h }
	wantClient, wantServer := play(t, bare)
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	for name, traced := range map[string]middleware{
		"once": m, "twice": func(h http.Handler) http.Handler { return m(m(h)) },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := play(t, traced)
			if diff := cmp.Diff(wantClient, client); diff != "" {
				t.Errorf("the client of a traced server sees (-bare +traced):\n%s", diff)
			}
			if diff := cmp.Diff(wantServer, server); diff != "" {
				t.Errorf("a traced server sees (-bare +traced):\n%s", diff)
			}
		})
	}
	names := map[string]int{}
	for _, span := range tracer.Finished() {
		names[fmt.Sprint(span.OperationName, " ", span.Tag("http.status_code"), " ", span.Tag("error"))]++
	}
	// The handler has the server's own writer, so that no status is seen.
	want := map[string]int{"CONNECT /session/{id} <nil> <nil>": 2, "CONNECT /refused <nil> <nil>": 2}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// play opens a session, sends over a stream in each direction, ends the session, and is refused another.
func play(t *testing.T, use middleware) (client, server []string) {
	t.Helper()
	var c, s seen
	url, roots, stop := serve(t, use, &s)
	dialer := &webtransport.Transport{
		TLSClientConfig: roots,
		QUICConfig:      &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true},
	}
	resp, session, err := dialer.Dial(t.Context(), url+"/session/7", http.Header{"X-A": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	c.add("%s", resp.Status)
	converse(t.Context(), session, &c)
	c.add("closed %v", session.CloseWithError(42, "enough"))
	resp, _, err = dialer.Dial(t.Context(), url+"/refused", nil)
	c.add("%s %v", resp.Status, err != nil)
	c.add("closed %v", dialer.Close())
	stop()
	return c.lines, s.lines
}

func converse(ctx context.Context, session *webtransport.Session, c *seen) {
	stream, err := session.OpenStreamSync(ctx)
	if err != nil {
		c.add("%v", err)
		return
	}
	_, err = io.WriteString(stream, "over the stream")
	c.add("wrote, %v, closed %v", err, stream.Close())
	echo, err := io.ReadAll(stream)
	c.add("%s %v", echo, err)
	pushed, err := session.AcceptUniStream(ctx)
	if err != nil {
		c.add("%v", err)
		return
	}
	text, err := io.ReadAll(pushed)
	c.add("%s %v", text, err)
}

// serve returns the URL of a server of sessions, how to reach it, and what stops it once its handlers have returned.
func serve(t *testing.T, use middleware, s *seen) (url string, client *tls.Config, stop func()) {
	t.Helper()
	identity := httptest.NewUnstartedServer(nil)
	identity.StartTLS()
	certs, roots := identity.TLS.Certificates, identity.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	identity.Close()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	mux := http.NewServeMux()
	traced := use(mux)
	server := &webtransport.Server{H3: &http3.Server{
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certs}),
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			handlers.Add(1)
			defer handlers.Done()
			traced.ServeHTTP(rw, r)
		}),
	}}
	webtransport.ConfigureHTTP3Server(server.H3)
	mux.HandleFunc("/session/{id}", func(rw http.ResponseWriter, r *http.Request) {
		session, err := server.Upgrade(rw, r)
		s.add("%s %s %s %q %v", r.Method, r.Proto, r.PathValue("id"), r.Header["X-A"], err)
		if err == nil {
			echo(t.Context(), session, s)
		}
	})
	mux.HandleFunc("/refused", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
	served := make(chan error)
	go func() { served <- server.Serve(conn) }()
	return "https://" + conn.LocalAddr().String(), &tls.Config{RootCAs: roots}, func() {
		handlers.Wait()
		server.Close()
		<-served
		conn.Close()
	}
}

// echo answers one stream, opens one of its own, and waits for the client to end the session.
func echo(ctx context.Context, session *webtransport.Session, s *seen) {
	stream, err := session.AcceptStream(ctx)
	if err != nil {
		s.add("%v", err)
		return
	}
	n, err := io.Copy(stream, stream)
	s.add("%d %v, closed %v", n, err, stream.Close())
	own, err := session.OpenUniStreamSync(ctx)
	if err != nil {
		s.add("%v", err)
		return
	}
	_, err = io.WriteString(own, "from the server")
	s.add("wrote %v, closed %v", err, own.Close())
	<-session.Context().Done()
	_, err = session.AcceptStream(ctx)
	s.add("over: %v", err != nil) // the reason, or that the connection is gone: whichever came first
}
