package tracerinit

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/quiet"
)

// TestWhatIsSentIsMarked looks at the contexts that a tracing http.Transport, dialer or resolver would see.
func TestWhatIsSentIsMarked(t *testing.T) {
	for name, build := range map[string]func(string, ...HTTPOption) Exporter{"otlp/http": OTLPHTTP, "jaeger/http": JaegerHTTP} {
		t.Run(name, func(t *testing.T) {
			var seen, marked atomic.Int64
			b := newBackend(t, nil)
			l := open(t, build(b.URL, func(c *httpConfig) {
				c.proxy = func(r *http.Request) (*url.URL, error) {
					seen.Add(1)
					if quiet.Is(r.Context()) {
						marked.Add(1)
					}
					return nil, nil
				}
			}), Queue{})
			l.make(1)
			l.Flush(within(t, 10*time.Second))
			if seen.Load() == 0 || marked.Load() != seen.Load() {
				t.Errorf("%d of %d requests are marked", marked.Load(), seen.Load())
			}
		})
	}
	t.Run("jaeger/udp", func(t *testing.T) {
		var marked atomic.Bool
		e := jaegerUDP("agent:6831", time.Minute)
		openSender := e.Open
		e.Open = func(env export.Env) (export.Sender, error) {
			s, err := openSender(env)
			s.(*udpSender).lookup = func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
				marked.Store(quiet.Is(ctx))
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			return s, err
		}
		l := open(t, builtin{e}, Queue{Interval: time.Millisecond})
		l.make(1)
		until(t, "the agent looked up with a marked context", marked.Load)
	})
}
