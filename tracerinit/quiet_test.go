package tracerinit_test

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
	"github.com/spanloom/spanloom/tracerinit"
)

// TestWhatIsSentIsMarked looks at the contexts that a tracing http.Transport, dialer or resolver would see.
func TestWhatIsSentIsMarked(t *testing.T) {
	for name, build := range map[string]func(string, ...tracerinit.HTTPOption) tracerinit.Exporter{"otlp/http": tracerinit.OTLPHTTP, "jaeger/http": tracerinit.JaegerHTTP} {
		t.Run(name, func(t *testing.T) {
			var seen, marked atomic.Int64
			b := newBackend(t, nil)
			l := open(t, build(b.URL, tracerinit.WithProxy(func(r *http.Request) (*url.URL, error) {
				seen.Add(1)
				if quiet.Is(r.Context()) {
					marked.Add(1)
				}
				return nil, nil
			})), tracerinit.Queue{})
			l.make(1)
			l.Flush(within(t, time.Minute))
			if seen.Load() == 0 || marked.Load() != seen.Load() {
				t.Errorf("%d of %d requests are marked", marked.Load(), seen.Load())
			}
		})
	}
	t.Run("jaeger/udp", func(t *testing.T) {
		var marked atomic.Bool
		e := tracerinit.FactoryOf(tracerinit.JaegerUDP("agent:6831"))
		openSender := e.Open
		e.Open = func(env export.Env) (export.Sender, error) {
			s, err := openSender(env)
			tracerinit.SetLookup(s, func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
				marked.Store(quiet.Is(ctx))
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}, time.Minute)
			return s, err
		}
		l := open(t, tracerinit.NewExporter(e), tracerinit.Queue{Interval: time.Millisecond})
		l.make(1)
		eventually(t, "the agent looked up with a marked context", marked.Load)
	})
}
