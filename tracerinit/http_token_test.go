package tracerinit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestATokenSourceIsCalledForEachRequest(t *testing.T) {
	var calls atomic.Int64
	b := newBackend(t, nil)
	l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithTokenSource(func(ctx context.Context) (tracerinit.Secret, error) {
		if _, ok := ctx.Deadline(); !ok || !quiet.Is(ctx) {
			t.Error("the context has no deadline or no mark")
		}
		return tracerinit.Secret(fmt.Sprint("token-", calls.Add(1))), nil
	})), tracerinit.Queue{})
	for range 3 {
		l.make(1)
		l.Flush(within(t, time.Minute))
	}
	for i, r := range b.seen() {
		if got, want := r.Header.Get("Authorization"), fmt.Sprint("Bearer token-", i+1); got != want {
			t.Errorf("request %d: %q, want %q", i, got, want)
		}
	}
}

func TestATokenSourceIsCalledOnceMoreAfterA401(t *testing.T) {
	for name, c := range map[string]struct {
		good      string // the token that the backend takes
		requests  int
		delivered uint64
	}{"the new one is good": {"Bearer token-2", 2, 1}, "neither is": {"Bearer token-9", 2, 0}} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != c.good {
					http.Error(w, "bad "+r.Header.Get("Authorization"), http.StatusUnauthorized)
				}
			})
			l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithTokenSource(func(context.Context) (tracerinit.Secret, error) {
				return tracerinit.Secret(fmt.Sprint("token-", calls.Add(1))), nil
			})), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			s := l.Stats()
			if len(b.seen()) != c.requests || s.Delivered != c.delivered || s.Delivered+s.Dropped.Refused != 1 {
				t.Errorf("%d requests, %+v", len(b.seen()), s)
			}
			if strings.Contains(s.LastError, "token-") {
				t.Errorf("a token is in %q", s.LastError)
			}
		})
	}
}

// A token that is read from a file mostly ends in a newline.
func TestSpaceAroundATokenIsNoPartOfIt(t *testing.T) {
	source := func(context.Context) (tracerinit.Secret, error) { return " good-token\r\n", nil }
	for name, opt := range map[string]tracerinit.HTTPOption{
		"source": tracerinit.WithTokenSource(source), "option": tracerinit.WithBearerToken("good-token\n"), "secret": tracerinit.WithBearerToken(tracerinit.Secret(" good-token")),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, nil)
			l := open(t, tracerinit.OTLPHTTP(b.URL, opt), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if got := b.seen()[0].Header.Get("Authorization"); got != "Bearer good-token" {
				t.Errorf("sent %q", got)
			}
		})
	}
}

func TestATokenSourceThatFailsIsTriedAgain(t *testing.T) {
	hang := make(chan struct{})
	for name, fail := range map[string]func() (tracerinit.Secret, error){
		"error": func() (tracerinit.Secret, error) {
			return "", errors.New("POST https://idp/?client_secret=hunter2: timeout")
		},
		"panic":   func() (tracerinit.Secret, error) { panic("hunter2") },
		"goexit":  func() (tracerinit.Secret, error) { runtime.Goexit(); return "", nil },
		"empty":   func() (tracerinit.Secret, error) { return "", nil },
		"invalid": func() (tracerinit.Secret, error) { return "hunter2\r\nX: y", nil },
		"hangs":   func() (tracerinit.Secret, error) { <-hang; return "good", nil },
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			b := newBackend(t, nil)
			l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithRetry(quick), tracerinit.WithTokenSource(func(context.Context) (tracerinit.Secret, error) {
				if calls.Add(1) == 1 {
					return fail()
				}
				return "good", nil
			})), tracerinit.Queue{Timeout: 50 * time.Millisecond})
			l.make(1)
			if name == "hangs" {
				eventually(t, "a failure", func() bool { return l.Stats().Failures > 1 })
				if calls.Load() != 1 {
					t.Errorf("%d calls at once", calls.Load())
				}
				close(hang)
			}
			l.Flush(within(t, time.Minute))
			s := l.Stats()
			if s.Delivered != 1 || s.Failures == 0 || !strings.Contains(s.LastError, "token source") {
				t.Errorf("%+v", s)
			}
			if strings.Contains(s.LastError, "hunter2") {
				t.Errorf("a secret is in %q", s.LastError)
			}
		})
	}
}

func TestTheLastCredentialsWin(t *testing.T) {
	source := tracerinit.WithTokenSource(func(context.Context) (tracerinit.Secret, error) { return "sourced", nil })
	for name, c := range map[string]struct {
		opts []tracerinit.HTTPOption
		want string
	}{
		"source":              {[]tracerinit.HTTPOption{tracerinit.WithBearerToken("fixed"), source}, "Bearer sourced"},
		"bearer":              {[]tracerinit.HTTPOption{source, tracerinit.WithBearerToken("fixed")}, "Bearer fixed"},
		"header":              {[]tracerinit.HTTPOption{source, header("Authorization", "Key fixed")}, "Key fixed"},
		"nil changes nothing": {[]tracerinit.HTTPOption{source, tracerinit.WithTokenSource(nil)}, "Bearer sourced"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, nil)
			l := open(t, tracerinit.JaegerHTTP(b.URL, c.opts...), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if got := b.seen()[0].Header.Get("Authorization"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
