package export

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// stuck returns an answer that hangs, whatever its context says, until release is called.
func stuck() (answer func(context.Context, []string) error, release func()) {
	gate := make(chan struct{})
	return func(context.Context, []string) error { <-gate; return nil }, sync.OnceFunc(func() { close(gate) })
}

func TestSpansArriveInOrderAndInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		p := start(t, b, Queue{Batch: 10})
		want := numbered(p, 0, 95)
		if err := p.Flush(within(t, time.Second)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.took()); diff != "" {
			t.Error(diff)
		}
		for _, n := range b.sizes() {
			if n > 10 {
				t.Errorf("a batch of %d spans; at most 10 wanted", n)
			}
		}
		if s := p.Stats(); s.Delivered != 95 || s.Reported != 95 || s.Queued+s.InFlight != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestAFullBatchGoesAtOnceAndASmallOneAfterTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		p := start(t, b, Queue{Batch: 10, Interval: time.Second})
		numbered(p, 0, 13)
		synctest.Wait()
		if n := len(b.took()); n < 10 {
			t.Errorf("%d spans sent at once; at least a batch of 10 wanted", n)
		}
		left := 13 - len(b.took())
		time.Sleep(999 * time.Millisecond)
		if n := 13 - len(b.took()); n != left {
			t.Errorf("%d of %d sent before the interval was over", left-n, left)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := len(b.took()); n != 13 {
			t.Errorf("%d of 13 spans sent when the interval was over", n)
		}
	})
}

func TestAFullQueueDropsByItsPolicy(t *testing.T) {
	for _, c := range []struct {
		policy Overflow
		want   []string // the first is in the backend's hands when the queue fills
	}{
		{DropNewest, []string{"0", "1", "2", "3"}},
		{DropOldest, []string{"0", "7", "8", "9"}},
	} {
		t.Run(fmt.Sprint(c.policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer, release := stuck()
				defer release()
				b := &backend{answer: answer}
				p := start(t, b, Queue{Size: 3, Batch: 1, Overflow: c.policy})
				numbered(p, 0, 1)
				synctest.Wait()
				numbered(p, 1, 9)
				if s := p.Stats(); s.Queued != 3 || s.InFlight != 1 || s.Dropped.QueueFull != 6 {
					t.Errorf("while the backend hangs: %+v", s)
				}
				release()
				p.Flush(within(t, time.Minute))
				if diff := cmp.Diff(c.want, b.took()); diff != "" {
					t.Error(diff)
				}
				sum(t, p.Stats())
			})
		})
	}
}

func TestBlockWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		b := &backend{answer: answer}
		p := start(t, b, Queue{Size: 3, Batch: 1, Overflow: Block})
		done := make(chan struct{})
		go func() { defer close(done); numbered(p, 0, 50) }()
		synctest.Wait()
		if s := p.Stats(); s.Reported != 4 || s.Queued != 3 {
			t.Errorf("with the backend hanging: %+v", s)
		}
		release()
		<-done
		p.Flush(within(t, time.Minute))
		if s := p.Stats(); s.Delivered != 50 || s.Dropped.Total() != 0 {
			t.Errorf("with Block: %+v", s)
		}
	})
}

func TestBlockEndsWithShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		p := start(t, &backend{answer: answer}, Queue{Size: 1, Batch: 1, Overflow: Block})
		var offers sync.WaitGroup
		for i := range 5 {
			offers.Go(func() { numbered(p, i, 1) })
		}
		synctest.Wait()
		p.Shutdown(within(t, time.Second))
		offers.Wait()
		if s := p.Stats(); s.Dropped.Closed != 5 || s.Reported != 5 {
			t.Errorf("after Shutdown: %+v", s)
		}
	})
}

// answersInTurn fails in each way that there is, one batch after another.
func answersInTurn() *backend {
	calls := 0
	return &backend{answer: func(_ context.Context, names []string) error {
		calls++
		switch calls % 5 {
		case 1:
			return &RetryError{Err: errors.New("again")}
		case 2:
			return errors.New("no")
		case 3:
			return &RejectedError{Count: len(names) / 2, Err: errors.New("some")}
		}
		return nil
	}}
}

// watchSums checks the statistics all the time until stop is called.
func watchSums(t *testing.T, p *Pipeline) (stop func()) {
	stopped, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			sum(t, p.Stats())
			select {
			case <-stopped:
				return
			default:
			}
		}
	}()
	return func() {
		close(stopped)
		<-watched
	}
}

func TestStatsAddUpAtEveryMoment(t *testing.T) {
	for _, policy := range []Overflow{DropNewest, DropOldest, Block} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			p := start(t, answersInTurn(), Queue{Size: 50, Batch: 8, Interval: time.Millisecond, Overflow: policy},
				func(f *Factory, _ *Env) { f.Retry = Retry{Initial: time.Microsecond, Max: time.Microsecond} })
			stop := watchSums(t, p)
			var offers sync.WaitGroup
			for range 4 {
				offers.Go(func() {
					for i := range 2000 {
						p.Enqueue(&model.Span{Name: "x"})
						if i%100 == 0 {
							p.Flush(within(t, time.Millisecond))
						}
					}
				})
			}
			offers.Wait()
			for range 3 {
				offers.Go(func() { p.Shutdown(within(t, 10*time.Second)) })
			}
			offers.Wait()
			stop()
			s := p.Stats()
			sum(t, s)
			if s.Reported != 8000 || s.Queued+s.InFlight != 0 {
				t.Errorf("at the end: %+v", s)
			}
		})
	}
}
