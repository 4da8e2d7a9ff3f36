package otlpgrpc

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/testnet"
)

func TestShutdownKeepsItsDeadline(t *testing.T) {
	silent, _ := net.Listen("tcp", "127.0.0.1:0")
	defer silent.Close()
	slow := newCollector(t, func(ctx context.Context, _ int) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	for name, target := range map[string]string{
		"dead": testnet.Refusing(t), "accepts and says nothing": silent.Addr().String(), "never answers": slow.addr,
		"black hole": testnet.BlackHole(t),
	} {
		t.Run(name, func(t *testing.T) {
			const deadline = 300 * time.Millisecond
			took := time.Hour
			for tries := 0; tries < 10 && took > deadline+50*time.Millisecond; tries++ { // a busy machine delays some of them
				l := open(t, factory(target))
				for range 5 {
					l.StartSpan("x").Finish()
				}
				begun := time.Now()
				err := l.Shutdown(within(t, deadline))
				took = time.Since(begun)
				if s := l.Stats(); err == nil || s.Dropped.Total() != 5 {
					t.Errorf("%v %+v", err, s)
				}
			}
			if took > deadline+50*time.Millisecond {
				t.Errorf("took %v ten times", took)
			}
		})
	}
}

func TestAConnectionThatWentSilentIsGivenUp(t *testing.T) {
	network := &testnet.FirstMute{Listener: listen(t)}
	newCollectorOn(t, network, nil)
	e := factory(network.Addr().String(), quick)
	e.Timeout = 2 * time.Second
	l := open(t, e)
	l.send(t, 1)
	network.Mute.Store(true)
	l.send(t, 1)
	if s := l.Stats(); s.Delivered != 2 || network.Accepted.Load() != 2 {
		t.Errorf("%d connections, %+v", network.Accepted.Load(), s)
	}
}
