package otlpgrpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/testcert"
	"github.com/spanloom/spanloom/tracerinit"
)

// compressing is New for a target that is not on the loopback interface, as far as compression goes.
func compressing(target string, opts ...Option) export.Factory {
	f := factory(target, opts...)
	openSender := f.Open
	f.Open = func(env export.Env) (export.Sender, error) {
		s, err := openSender(env)
		if z := &s.(*sender).zip; z.auto {
			z.on = true
		}
		return s, err
	}
	return f
}

func TestCompressionByDefaultIsTakenBack(t *testing.T) {
	noGzip := status.Error(codes.Unimplemented, `grpc: Decompressor is not installed for grpc-encoding "gzip"`)
	for _, c := range []struct {
		name      string
		from      int // compressed messages that are taken
		plain     bool
		opts      []Option
		encodings string // of the calls for three batches, z: gzip, p: plain
		delivered uint64
	}{
		{"refused", 0, true, nil, "zppp", 3},
		{"refused later is final", 1, true, nil, "zzz", 1},
		{"plain is not taken either", 0, false, nil, "zpzpzp", 0},
		{"asked for", 0, true, []Option{WithCompression()}, "zzz", 0},
		{"not wanted", 0, true, []Option{WithoutCompression()}, "ppp", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var encodings atomic.Value
			encodings.Store("")
			zipped := 0
			col := newCollector(t, func(ctx context.Context, _ int) ([]byte, error) {
				if isGzip(ctx) {
					encodings.Store(encodings.Load().(string) + "z")
					if zipped++; zipped > c.from {
						return nil, noGzip
					}
					return nil, nil
				}
				encodings.Store(encodings.Load().(string) + "p")
				if !c.plain {
					return nil, status.Error(codes.Unimplemented, "unknown service")
				}
				return nil, nil
			})
			l := open(t, compressing(col.addr, c.opts...))
			for range 3 {
				l.send(t, 1)
			}
			s := l.Stats()
			if got := encodings.Load(); got != c.encodings || s.Delivered != c.delivered || s.Dropped.Refused != 3-c.delivered {
				t.Errorf("sent %s, want %s; %+v", got, c.encodings, s)
			}
			if named := strings.Contains(s.LastError, "WithCompression"); named != (c.name == "asked for") {
				t.Errorf("the error: %s", s.LastError)
			}
			if c.name == "plain is not taken either" && !strings.Contains(s.LastError, "Decompressor") {
				t.Errorf("not the first answer: %s", s.LastError)
			}
		})
	}
}

// isGzip reports whether the message of a call came compressed.
func isGzip(ctx context.Context) bool {
	stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ RecvCompress() string })
	return ok && stream.RecvCompress() == "gzip"
}

func TestAMessageThatIsTooLargeIsHalved(t *testing.T) {
	col := newCollector(t, nil, grpc.MaxRecvMsgSize(8<<10))
	l := open(t, factory(col.addr, quick))
	want := l.send(t, 1000)
	if diff := cmp.Diff(want, col.took()); diff != "" {
		t.Error(diff)
	}
	if s := l.Stats(); s.Delivered != 1000 || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
}

// TestAProxyWithABodyLimitIsKnown has the code that grpc makes of a proxy's 413.
func TestAProxyWithABodyLimitIsKnown(t *testing.T) {
	limited := func(_ context.Context, _ int) ([]byte, error) {
		return nil, status.Error(codes.Unknown, "unexpected HTTP status code received from server: 413 (Request Entity Too Large)")
	}
	l := open(t, factory(newCollector(t, limited).addr, quick))
	l.send(t, 8)
	if s := l.Stats(); s.Dropped.TooLarge != 8 || s.Failures != 8 {
		t.Errorf("batches are not halved down to one span: %+v", s)
	}
}

func TestTooLargeIsKnownByItsText(t *testing.T) {
	for text, want := range map[string]bool{
		"grpc: received message larger than max (5242880 vs. 4194304)":       true,
		"grpc: received message after decompression larger than max 4194304": true,
		"Received message larger than max (5242880 vs. 4194304)":             true,
		"gRPC message exceeds maximum size 4194304: 5242880":                 true,
		"trying to send message larger than max (5242880 vs. 4194304)":       true,
		"http: request body too large":                                       true,
		"Request Entity Too Large":                                           true,
		"value too large":                                                    false, "an attribute is too large": false,
		"quota exceeded": false, "rate limit": false, "": false, "data refused due to high memory usage": false,
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			if got := export.SaysTooLarge(text); got != want {
				t.Errorf("%q: %t", text, got)
			}
		})
	}
}

func TestABusyInstanceIsLeft(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	col := newCollector(t, func(ctx context.Context, _ int) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		p, _ := peer.FromContext(ctx)
		if conns[p.Addr.String()] = true; len(conns) == 1 {
			return nil, status.Error(codes.Unavailable, "busy")
		}
		return nil, nil
	})
	l := open(t, factory(col.addr, quick))
	l.send(t, 3)
	if s := l.Stats(); s.Delivered != 3 || s.Failures != 1 || len(conns) != 2 {
		t.Errorf("%d connections, %+v", len(conns), s)
	}
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		good      string
		calls     int
		delivered uint64
	}{"good": {"Bearer token-1", 1, 1}, "good after Unauthenticated": {"Bearer token-2", 2, 1}, "bad": {"Bearer token-9", 2, 0}} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			col := newCollector(t, func(ctx context.Context, _ int) ([]byte, error) {
				md, _ := metadata.FromIncomingContext(ctx)
				if got := md.Get("authorization"); len(got) != 1 || got[0] != c.good {
					return nil, status.Errorf(codes.Unauthenticated, "not for %v", got)
				}
				return nil, nil
			})
			l := open(t, factory(col.addr, quick, WithTokenSource(func(ctx context.Context) (tracerinit.Secret, error) {
				if _, ok := ctx.Deadline(); !ok || !quiet.Is(ctx) {
					t.Error("the context has no deadline or no mark")
				}
				calls++
				return tracerinit.Secret(fmt.Sprint("token-", calls)), nil
			})))
			l.send(t, 1)
			if s := l.Stats(); calls != c.calls || s.Delivered != c.delivered || strings.Contains(s.LastError, "token-") {
				t.Errorf("%d calls, %+v", calls, s)
			}
		})
	}
}

func TestALackingClientCertificateIsNamed(t *testing.T) {
	col, trust, _ := mutualCollector(t)
	trust(testcert.New(t, "unknown"))
	l := open(t, factory(col.addr, WithTLS(&tls.Config{InsecureSkipVerify: true}), WithRetry(tracerinit.Retry{Limit: -1})))
	l.StartSpan("x").Finish()
	l.Flush(within(t, time.Minute))
	if s := l.Stats(); !strings.Contains(s.LastError, "client certificate") || s.Delivered != 0 {
		t.Errorf("%q", s.LastError)
	}
}

// secureCollector is a collector whose certificate is of an authority that nobody knows.
func secureCollector(t *testing.T) (addr string) {
	t.Helper()
	config := testcert.New(t, "unknown").Mutual(t)
	config.ClientAuth = tls.NoClientCert
	return newCollector(t, nil, grpc.Creds(credentials.NewTLS(config))).addr
}

func TestOneProtocolOnThePortOfAnotherIsNamed(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	col := newCollector(t, nil)
	hangUp := listen(t)
	var served sync.WaitGroup
	defer served.Wait()
	defer hangUp.Close()
	served.Go(func() {
		for {
			c, err := hangUp.Accept()
			if err != nil {
				return
			}
			io.CopyN(io.Discard, c, 10)
			c.Close()
		}
	})
	host := func(u string) string { _, h, _ := strings.Cut(u, "://"); return h }
	for name, c := range map[string]struct{ target, want string }{
		"HTTP":         {"http://" + host(plain.URL), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"},
		"HTTPS":        {"https://" + host(secure.URL), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"},
		"unknown CA":   {"https://" + secureCollector(t), "OTEL_EXPORTER_OTLP_CERTIFICATE"},
		"not TLS":      {"https://" + col.addr, "write http://"},
		"TLS":          {"http://" + hangUp.Addr().String(), "write https://"},
		"no such host": {"nosuch.invalid:4317", "no such host"},
		"nobody":       {net.JoinHostPort("127.0.0.1", "1"), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, factory(c.target, WithRetry(tracerinit.Retry{Limit: -1})))
			l.StartSpan("x").Finish()
			l.Flush(within(t, time.Minute))
			if s := l.Stats(); !strings.Contains(s.LastError, c.want) || s.Delivered != 0 {
				t.Errorf("%q does not say %q", s.LastError, c.want)
			}
		})
	}
}
