package tracerinit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/testnet"
	"github.com/spanloom/spanloom/tracerinit"
)

// sick are endpoints that do not work, each in its way.
func sick(t *testing.T) map[string]string {
	hang := func(serve func(net.Conn)) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					serve(c)
				}()
			}
		}()
		return "http://" + ln.Addr().String()
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	silent := hang(func(net.Conn) { <-stop })
	return map[string]string{
		"dead":               "http://" + testnet.Refusing(t),
		"black hole":         "http://" + testnet.BlackHole(t),
		"never reads":        silent,
		"never shakes hands": strings.Replace(silent, "http", "https", 1),
		"never answers": hang(func(c net.Conn) {
			go func() { <-stop; c.Close() }()
			io.Copy(io.Discard, c)
		}),
		"resets": hang(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }),
		"endless headers": hang(func(c net.Conn) {
			go func() { <-stop; c.Close() }()
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")
			}
		}),
		"not http": hang(func(c net.Conn) { io.WriteString(c, "220 mail.example.com ESMTP\r\n"); io.Copy(io.Discard, c) }),
	}
}

// transports counts the goroutines of HTTP clients.
func transports() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte("net/http.(*Transport)"))
}

// inTime runs try until it takes no longer than limit. A busy machine delays some of the tries; what waits for more than
// its deadline is late every time.
func inTime(t testing.TB, limit time.Duration, try func() (took time.Duration)) {
	t.Helper()
	var took time.Duration
	for range 10 {
		if took = try(); took <= limit {
			return
		}
	}
	t.Errorf("took %v ten times, at most %v", took, limit)
}

func TestShutdownKeepsItsDeadlineWhateverTheEndpoint(t *testing.T) {
	for name, endpoint := range sick(t) {
		t.Run(name, func(t *testing.T) {
			const deadline = 300 * time.Millisecond
			inTime(t, deadline+50*time.Millisecond, func() time.Duration {
				before := transports()
				l := open(t, tracerinit.OTLPHTTP(endpoint), tracerinit.Queue{Batch: 10})
				l.make(25)
				begun := time.Now()
				err := l.Shutdown(within(t, deadline))
				took := time.Since(begun)
				eventually(t, "the exporter's goroutines gone", func() bool { return transports() <= before })
				s := l.Stats()
				if err == nil || s.Dropped.Total() != 25 || s.Queued+s.InFlight != 0 {
					t.Errorf("%v %+v", err, s)
				}
				return took
			})
		})
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	for name, chunk := range map[string]int{"fast": 32 << 10, "slow": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stop := make(chan struct{})
			t.Cleanup(func() { close(stop) })
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
				filler := make([]byte, chunk)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					if _, err := w.Write(filler); err != nil {
						return
					}
					if chunk == 1 {
						http.NewResponseController(w).Flush()
						select {
						case <-tick.C:
						case <-stop:
							return
						}
					}
				}
			})
			l := open(t, tracerinit.OTLPHTTP(b.URL), tracerinit.Queue{})
			l.make(5)
			if err := l.Flush(within(t, time.Minute)); err != nil {
				t.Fatal(err)
			}
			if s := l.Stats(); s.Delivered != 5 {
				t.Errorf("a batch taken by a 200 was not counted as delivered: %+v", s)
			}
		})
	}
}

// TestAnAnswerThatSwitchesProtocolsIsARefusal has an answer whose body is the connection, which has no end.
func TestAnAnswerThatSwitchesProtocolsIsARefusal(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "h2c")
		w.WriteHeader(http.StatusSwitchingProtocols)
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	})
	l := open(t, tracerinit.OTLPHTTP(b.URL), tracerinit.Queue{})
	l.make(5)
	if err := l.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Dropped.Refused != 5 || !strings.Contains(s.LastError, "101") {
		t.Errorf("%+v", s)
	}
}

func TestAnAnswerBeforeTheBodyIsReadCorruptsNothing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	over, end := context.WithCancel(t.Context())
	var served sync.WaitGroup
	defer served.Wait()
	defer end()
	served.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				context.AfterFunc(over, func() { c.Close() })
				c.(*net.TCPConn).SetReadBuffer(4096)
				c.Read(make([]byte, 4096))
				io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			})
		}
	})
	l := open(t, tracerinit.OTLPHTTP("http://"+ln.Addr().String(), tracerinit.WithRetry(quick)), tracerinit.Queue{Batch: 100})
	filler := strings.Repeat("x", 8000)
	for range 1000 {
		l.StartSpan("large").SetTag("filler", filler).Finish()
	}
	l.Flush(within(t, time.Minute))
	ln.Close()
	if s := l.Stats(); s.Delivered == 0 {
		t.Errorf("%+v", s)
	}
}

func TestNothingOfTheUsersTransportIsUsed(t *testing.T) {
	was := http.DefaultTransport
	http.DefaultTransport = roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("the exporter used http.DefaultTransport")
		return nil, io.EOF
	})
	defer func() { http.DefaultTransport = was }()
	b := newBackend(t, nil)
	l := open(t, tracerinit.OTLPHTTP(b.URL), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	if n := len(b.names(t, otlpNames)); n != 3 {
		t.Errorf("%d spans", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSpansArriveOverTLS(t *testing.T) {
	b := &backend{}
	b.Server = httptest.NewUnstartedServer(b)
	b.EnableHTTP2 = true
	b.StartTLS()
	defer b.Close()
	l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithTLS(b.Client().Transport.(*http.Transport).TLSClientConfig)), tracerinit.Queue{})
	l.make(3)
	l.Flush(within(t, time.Minute))
	if n := len(b.names(t, otlpNames)); n != 3 {
		t.Errorf("%d spans: %+v", n, l.Stats())
	}
	if r := b.seen()[0]; r.ProtoMajor != 2 {
		t.Errorf("sent by %s", r.Proto)
	}
}

func TestAConnectionThatWentSilentIsGivenUp(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("http2: ", http2), func(t *testing.T) {
			b := &backend{}
			b.Server = httptest.NewUnstartedServer(b)
			b.EnableHTTP2 = http2
			network := &testnet.FirstMute{Listener: b.Listener}
			b.Listener = network
			b.StartTLS()
			defer b.Close()
			roots := tracerinit.WithTLS(b.Client().Transport.(*http.Transport).TLSClientConfig)
			l := open(t, tracerinit.OTLPHTTP(b.URL, roots, tracerinit.WithRetry(quick)), tracerinit.Queue{Timeout: 500 * time.Millisecond})
			l.make(1)
			l.Flush(within(t, time.Minute))
			network.Mute.Store(true)
			l.make(1)
			l.Flush(within(t, time.Minute))
			if s := l.Stats(); s.Delivered != 2 {
				t.Errorf("%d connections, %+v", network.Accepted.Load(), s)
			}
			l.Shutdown(ended())
		})
	}
}

func TestShutdownLeavesNoConnectionBehind(t *testing.T) {
	asked, stop := make(chan struct{}), make(chan struct{})
	b := &backend{answer: func(http.ResponseWriter, *http.Request) { close(asked); <-stop }}
	b.Server = httptest.NewUnstartedServer(b)
	b.EnableHTTP2 = true
	b.StartTLS()
	defer b.Close()
	defer close(stop)
	l := open(t, tracerinit.OTLPHTTP(b.URL, tracerinit.WithTLS(b.Client().Transport.(*http.Transport).TLSClientConfig)), tracerinit.Queue{Batch: 1})
	l.make(1)
	<-asked
	l.Shutdown(ended())
	eventually(t, "the connection closed", func() bool {
		stacks := make([]byte, 1<<20)
		return !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("http2clientConnReadLoop"))
	})
}

func TestConnectionsAreKept(t *testing.T) {
	var addrs = map[string]bool{}
	b := newBackend(t, nil)
	l := open(t, tracerinit.OTLPHTTP(b.URL), tracerinit.Queue{})
	for range 5 {
		l.make(1)
		l.Flush(within(t, time.Minute))
	}
	for _, r := range b.seen() {
		addrs[r.RemoteAddr] = true
	}
	if len(addrs) != 1 {
		t.Errorf("%d connections for 5 batches", len(addrs))
	}
}
