package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// dice are random numbers of one goroutine. They depend on the seed of the test alone, the order of events does not.
type dice struct{ *rand.Rand }

func newDice(seed, goroutine int) dice {
	return dice{rand.New(rand.NewPCG(uint64(seed), uint64(goroutine)))}
}

// one reports true once in n.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// pause lets other goroutines run for a while.
func (d dice) pause() {
	for range d.IntN(200) {
		runtime.Gosched()
	}
}

// serve receives and sends at random, and ends the stream in one of the ways in which handlers do.
func (d dice) serve(ss grpc.ServerStream) error {
	if d.one(3) {
		ss.SendHeader(nil)
	}
	for range d.IntN(6) {
		d.pause()
		var err error
		if d.one(2) {
			err = ss.SendMsg(testsvc.Text("x"))
		} else {
			err = ss.RecvMsg(new(testsvc.Msg))
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	switch d.IntN(4) {
	case 0:
		return status.Error(codes.NotFound, "nothing")
	case 1:
		<-ss.Context().Done()
		return ss.Context().Err()
	case 2:
		return status.Error(codes.Unavailable, "later")
	}
	return nil
}

// call makes one RPC, in which it sends, receives, cancels and closes at random, and drops the stream before its end or
// not. It returns the error with which a call to the stream ended it, or nil.
func (d dice) call(ctx context.Context, cc *grpc.ClientConn, other dice) (end error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(1+d.IntN(60))*time.Millisecond)
	defer cancel()
	cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
	if err != nil {
		return err
	}
	var sender sync.WaitGroup
	defer sender.Wait()
	sender.Go(func() {
		for range other.IntN(10) {
			if cs.SendMsg(testsvc.Text("x")) != nil {
				break
			}
			other.pause()
		}
		if other.one(2) {
			cs.CloseSend()
		}
		if other.one(3) {
			cancel()
		}
		if other.one(20) {
			cc.Close()
		}
	})
	if d.one(3) {
		cs.Header()
	}
	for range d.IntN(12) {
		if err := cs.RecvMsg(new(testsvc.Msg)); err != nil {
			return err
		}
		d.pause()
	}
	return nil
}

// TestRandomStreamsEndOnce makes RPCs that end in many ways at a time. Every one has a span that ends once, and if the caller
// got the end of the stream, the span has its code.
func TestRandomStreamsEndOnce(t *testing.T) {
	const calls = 8
	for seed := range 12 {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			tracer := spantest.New(t)
			var served atomic.Int32
			server := &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
				return newDice(seed, -int(served.Add(1))).serve(ss)
			}}
			cc := testsvc.Start(t, testsvc.Bufconn, server, grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer))
			var wg sync.WaitGroup
			var ends [calls]error
			for i := range calls {
				wg.Go(func() { ends[i] = newDice(seed, 2*i).call(t.Context(), cc, newDice(seed, 2*i+1)) })
			}
			wg.Wait()
			cc.Close()

			missing := make(map[codes.Code]int)
			for _, err := range ends {
				switch {
				case errors.Is(err, io.EOF):
					missing[codes.OK]++
				case err != nil:
					missing[status.Code(err)]++
				}
			}
			spans := 0
			for _, s := range tracer.Finished() {
				if fmt.Sprint(s.Tag("span.kind")) == "client" {
					spans++
					missing[codes.Code(s.Tag("rpc.grpc.status_code").(int))]--
				}
			}
			if spans != calls {
				t.Errorf("%d spans of %d calls", spans, calls)
			}
			for code, n := range missing {
				if n > 0 {
					t.Errorf("%d callers got %v, and no span has it", n, code)
				}
			}
		})
	}
}
