package export_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/testnet"
)

// TestCompressionIsTakenBackWhereItWasNotAskedFor has a backend that refuses compressed bodies.
func TestCompressionIsTakenBackWhereItWasNotAskedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		mode      export.Gzip
		encodings string // of all requests
		taken     bool
	}{
		"by default": {export.GzipAuto, "gzip plain plain", true},
		"by option":  {export.GzipAlways, "gzip gzip", false},
		"never":      {export.GzipNever, "plain plain", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Content-Encoding") != "" {
					w.WriteHeader(http.StatusUnsupportedMediaType)
				}
			})
			p := r.poster(t, func(c *export.PostConfig) { c.Gzip = tt.mode })
			for range 2 {
				if _, err := p.Post(t.Context(), []byte("x")); (err == nil) != tt.taken {
					t.Error(err)
				}
			}
			var encodings []string
			for _, h := range r.headers {
				encodings = append(encodings, map[bool]string{true: "plain", false: "gzip"}[h.Get("Content-Encoding") == ""])
			}
			if got := strings.Join(encodings, " "); got != tt.encodings {
				t.Errorf("sent %s, want %s", got, tt.encodings)
			}
		})
	}
}

func TestATokenIsRenewedOnceAfterA401(t *testing.T) {
	for name, tt := range map[string]struct {
		good  string
		sent  string
		taken bool
	}{
		"the first is good":  {"t1", "t1", true},
		"the second is good": {"t2", "t1 t2", true},
		"none is good":       {"-", "t1 t2", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+tt.good {
					w.WriteHeader(http.StatusUnauthorized)
					io.WriteString(w, "bad "+r.Header.Get("Authorization"))
				}
			})
			n := 0
			p := r.poster(t, func(c *export.PostConfig) {
				c.Token = func(context.Context) (string, error) { n++; return []string{"", "t1", "t2", "t3"}[n], nil }
			})
			_, err := p.Post(t.Context(), []byte("x"))
			var sent []string
			for _, h := range r.headers {
				sent = append(sent, strings.TrimPrefix(h.Get("Authorization"), "Bearer "))
			}
			if got := strings.Join(sent, " "); got != tt.sent || (err == nil) != tt.taken {
				t.Errorf("sent %s, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "t2") {
				t.Errorf("a token is shown: %v", err)
			}
		})
	}
}

func TestTokensThatCannotBeSent(t *testing.T) {
	r := newReceiver(t, nil)
	for name, source := range map[string]export.TokenSource{
		"error":  func(context.Context) (string, error) { return "", errors.New("no such file") },
		"empty":  func(context.Context) (string, error) { return " \n", nil },
		"panic":  func(context.Context) (string, error) { panic("source") },
		"binary": func(context.Context) (string, error) { return "a\x00b", nil },
		"hangs":  func(ctx context.Context) (string, error) { <-ctx.Done(); return "late", nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := r.poster(t, func(c *export.PostConfig) { c.Token = source })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := p.Post(ctx, []byte("x")); !errors.As(err, new(*export.RetryError)) || !strings.Contains(err.Error(), "token source") {
				t.Errorf("%#v", err)
			}
		})
	}
	if len(r.bodies) != 0 {
		t.Errorf("sent %q", r.bodies)
	}
}

// TestABusyInstanceIsLeftByThePoster: a balancer of connections may lead the next one to another instance.
func TestABusyInstanceIsLeftByThePoster(t *testing.T) {
	for code, connections := range map[int]int{200: 1, 400: 1, 500: 1, 429: 3, 503: 3} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
			p := r.poster(t, nil)
			for range 3 {
				_, _ = p.Post(t.Context(), []byte("x"))
			}
			if n := len(r.peers); n != connections || len(r.bodies) != 3 {
				t.Errorf("%d requests over %d connections, want 3 over %d", len(r.bodies), n, connections)
			}
		})
	}
}

// A batch without an answer may pass. If there was a connection, the batch may be the cause.
func TestABatchWithoutAnAnswerMayPassLater(t *testing.T) {
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, tt := range map[string]struct {
		addr   string
		others bool
	}{"nobody listens": {testnet.Refusing(t), false}, "the connection ends": {r.Listener.Addr().String(), true}} {
		t.Run(name, func(t *testing.T) {
			p := r.poster(t, func(c *export.PostConfig) {
				c.URL.Host, c.Host = tt.addr, tt.addr
				c.URL.User, c.URL.RawQuery = url.UserPassword("me", "hunter2hunter2"), "key=hunter2hunter2"
			})
			_, err := p.Post(t.Context(), []byte("x"))
			var retry *export.RetryError
			if !errors.As(err, &retry) || retry.Others != tt.others {
				t.Fatalf("%#v", err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "test/http: no answer from "+tt.addr) || strings.Contains(text, "hunter2") {
				t.Error(text)
			}
		})
	}
}

// TestReasonsHoldNoSecrets has a backend that quotes what it was sent.
func TestReasonsHoldNoSecrets(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "refused: "+r.Header.Get("Authorization")+" of "+r.URL.String())
	})
	p := r.poster(t, func(c *export.PostConfig) {
		c.Header = http.Header{"Authorization": {"Bearer hunter2hunter2"}}
		c.URL.Path, c.URL.RawQuery = "/adapt_topsecret/v1", "key=topsecret"
		c.Redactor.AddURL(c.URL, "/v1/traces")
	})
	_, err := p.Post(t.Context(), []byte("x"))
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "topsecret") || !strings.Contains(err.Error(), "refused: ") {
		t.Error(err)
	}
}

// TestAnswersAreReadWithinBounds has a backend whose answer does not end.
func TestAnswersAreReadWithinBounds(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	reply, err := r.poster(t, nil).Post(t.Context(), []byte("x"))
	if err != nil || len(reply) != 64<<10 {
		t.Errorf("%d bytes, %v", len(reply), err)
	}
}
