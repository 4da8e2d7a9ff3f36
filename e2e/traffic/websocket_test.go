package traffic_test

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	gorilla "github.com/gorilla/websocket"

	"github.com/spanloom/spanloom/e2e/internal/wait"
)

func TestWebSocketsOfGorillaWorkAsBare(t *testing.T) {
	equal(t, func(w *world) { w.gorillaTalk(w.server(gorillaEcho(w)).URL) })
}

func TestWebSocketsOfCoderWorkAsBare(t *testing.T) {
	equal(t, func(w *world) { w.coderTalk(w.server(coderEcho(w)).URL, nil) })
}

// The client of the second library dials through an http.Client, so that the transport sees the upgrade too.
func TestWebSocketsPassATracedClient(t *testing.T) {
	equal(t, func(w *world) { w.coderTalk(w.server(coderEcho(w)).URL, w.client(&http.Transport{})) })
}

func TestWebSocketsPassATracedReverseProxy(t *testing.T) {
	equal(t, func(w *world) {
		backend, err := url.Parse(w.server(gorillaEcho(w)).URL)
		if err != nil {
			w.t.Fatal(err)
		}
		transport := &http.Transport{}
		w.later(transport.CloseIdleConnections)
		proxy := &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(backend) },
			Transport: w.transport(transport),
		}
		w.gorillaTalk(w.server(proxy).URL)
	})
}

func gorillaEcho(w *world) http.Handler {
	upgrader := gorilla.Upgrader{Subprotocols: []string{"echo"}, EnableCompression: true}
	r := chi.NewRouter()
	r.Get("/rooms/{id}", func(rw http.ResponseWriter, req *http.Request) {
		conn, err := upgrader.Upgrade(rw, req, http.Header{"X-Room": {chi.URLParam(req, "id")}})
		if err != nil {
			w.saw("server", "upgrade: %v", err)
			return
		}
		defer conn.Close()
		conn.SetReadLimit(1 << 20)
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil {
				w.saw("server", "%v", err)
				return
			}
			if err := conn.WriteMessage(kind, message); err != nil {
				w.saw("server", "%v", err)
				return
			}
		}
	})
	return r
}

func (w *world) gorillaTalk(base string) {
	w.t.Helper()
	dialer := gorilla.Dialer{Subprotocols: []string{"echo"}, HandshakeTimeout: wait.Patience, EnableCompression: true}
	conn, resp, err := dialer.Dial(strings.Replace(base, "http", "ws", 1)+"/rooms/7", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	resp.Header.Del("Sec-Websocket-Accept") // of a random key
	w.saw("client", "%s %v protocol=%q", resp.Status, fields(resp.Header), conn.Subprotocol())
	conn.SetPongHandler(func(data string) error {
		w.saw("client", "pong %s", data)
		return nil
	})
	messages := []string{"hello", strings.Repeat("long ", 50_000), "bye"}
	for i, m := range messages {
		if err := conn.WriteControl(gorilla.PingMessage, []byte{byte('a' + i)}, time.Now().Add(time.Minute)); err != nil {
			w.t.Fatal(err)
		}
		if err := conn.WriteMessage(gorilla.TextMessage+i%2, []byte(m)); err != nil {
			w.t.Fatal(err)
		}
		kind, echo, err := conn.ReadMessage()
		w.saw("client", "echo kind=%d %s %v", kind, digest(echo), err)
	}
	goodbye := gorilla.FormatCloseMessage(gorilla.CloseNormalClosure, "done")
	if err := conn.WriteMessage(gorilla.CloseMessage, goodbye); err != nil {
		w.t.Fatal(err)
	}
	_, _, err = conn.ReadMessage()
	w.saw("client", "%v", err)
}

func coderEcho(w *world) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		conn, err := coder.Accept(rw, req, &coder.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			w.saw("server", "accept: %v", err)
			return
		}
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(context.Background())
			if err != nil {
				w.saw("server", "%v", coder.CloseStatus(err))
				return
			}
			if err := conn.Write(context.Background(), kind, message); err != nil {
				w.saw("server", "%v", err)
				return
			}
		}
	})
}

func (w *world) coderTalk(base string, client *http.Client) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if client == nil {
		plain := &http.Transport{}
		w.later(plain.CloseIdleConnections)
		client = &http.Client{Transport: plain}
	}
	client.Timeout = 0 // the library refuses one
	conn, resp, err := coder.Dial(ctx, base, &coder.DialOptions{HTTPClient: client, Subprotocols: []string{"echo"}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.CloseNow()
	resp.Header.Del("Sec-Websocket-Accept")
	w.saw("client", "%s %v protocol=%q", resp.Status, fields(resp.Header), conn.Subprotocol())
	for _, m := range []string{"hello", strings.Repeat("x", 30_000)} {
		if err := conn.Write(ctx, coder.MessageText, []byte(m)); err != nil {
			w.t.Fatal(err)
		}
		kind, echo, err := conn.Read(ctx)
		w.saw("client", "echo %v %s %v", kind, digest(echo), err)
	}
	w.saw("client", "close: %v", conn.Close(coder.StatusNormalClosure, "done"))
}
