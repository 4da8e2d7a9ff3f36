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

func TestOverflow(t *testing.T) {
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

func TestFlushWaitsOnlyForWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(ctx context.Context, _ []string) error {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil
		}}
		p := start(t, b, Queue{Batch: 2, Interval: time.Hour})
		numbered(p, 0, 3)
		begun := time.Now()
		flushed := make(chan error)
		go func() { flushed <- p.Flush(within(t, time.Hour)) }()
		synctest.Wait()
		numbered(p, 3, 20)
		if err := <-flushed; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("Flush took %v: it waited for spans reported after it", took)
		}
		if n := len(b.took()); n < 3 {
			t.Errorf("Flush returned with %d of the 3 spans before it delivered", n)
		}
	})
}

func TestFlushEndsInTheMiddleOfWhatTheWorkerTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := &backend{max: 3, answer: func(ctx context.Context, _ []string) error {
			select {
			case <-gate:
			case <-ctx.Done():
			}
			return nil
		}}
		p := start(t, b, Queue{})
		numbered(p, 10, 1)
		time.Sleep(2 * time.Second) // the worker holds it
		numbered(p, 11, 5)
		flushed := make(chan error)
		go func() { flushed <- p.Flush(within(t, time.Hour)) }()
		synctest.Wait()
		numbered(p, 16, 5)
		for range 6 {
			gate <- struct{}{}
		}
		if err := <-flushed; err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s.Delivered != 6 || s.InFlight+s.Queued != 5 {
			t.Errorf("%+v", s)
		}
	})
}

func TestShutdownKeepsTheCauseOfWhatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		p := start(t, &backend{answer: func(ctx context.Context, _ []string) error {
			if calls++; calls == 1 {
				return &RetryError{Err: errors.New("connection refused")}
			}
			<-ctx.Done()
			return &RetryError{Err: ctx.Err()}
		}}, Queue{})
		numbered(p, 0, 1)
		p.Shutdown(within(t, time.Second))
		if s := p.Stats(); s.LastError != "connection refused" || s.Failures != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFlushCountsADropAsAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		p := start(t, &backend{answer: answer}, Queue{Size: 2, Batch: 1, Overflow: DropOldest})
		numbered(p, 0, 1)
		synctest.Wait()
		numbered(p, 1, 2)
		flushed := make(chan error)
		go func() { flushed <- p.Flush(within(t, time.Hour)) }()
		synctest.Wait()
		numbered(p, 3, 2) // pushes 1 and 2 out
		release()
		if err := <-flushed; err != nil {
			t.Error(err)
		}
	})
}

func TestFlushEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		p := start(t, &backend{answer: answer}, Queue{})
		numbered(p, 0, 7)
		begun := time.Now()
		err := p.Flush(within(t, time.Second))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush returned %v; the context's error wanted", err)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("Flush returned after %v", took)
		}
		if s := p.Stats(); s.InFlight != 7 {
			t.Errorf("a flush that gave up changed fates: %+v", s)
		}
	})
}

func TestShutdownKeepsItsDeadline(t *testing.T) {
	obedient := func(ctx context.Context, _ []string) error { <-ctx.Done(); return &RetryError{Err: ctx.Err()} }
	down := func(context.Context, []string) error { return &RetryError{Err: errors.New("down")} }
	for name, answer := range map[string]func(context.Context, []string) error{
		"stuck": nil, "obedient": obedient, "down": down,
		"asks for an hour": func(context.Context, []string) error {
			return &RetryError{Err: errors.New("busy"), After: time.Hour}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := func() {}
				if answer == nil {
					answer, release = stuck()
				}
				defer release()
				b := &backend{answer: answer}
				p := start(t, b, Queue{Batch: 10}, func(f *Factory, _ *Env) { f.Retry.Limit = 2 * time.Hour })
				numbered(p, 0, 35)
				begun := time.Now()
				err := p.Shutdown(within(t, time.Second))
				if took := time.Since(begun); took > time.Second+50*time.Millisecond {
					t.Errorf("Shutdown took %v with a deadline of 1s", took)
				}
				if err == nil {
					t.Error("Shutdown lost spans and returned no error")
				}
				if s := p.Stats(); s.Dropped.Closed != 35 || s.Queued+s.InFlight != 0 {
					t.Errorf("after Shutdown: %+v", s)
				}
				release()
				synctest.Wait()
				if s := p.Stats(); s.Dropped.Closed != 35 || s.Delivered != 0 {
					t.Errorf("a late answer changed fates: %+v", s)
				}
				if b.closed != 1 {
					t.Errorf("the sender was closed %d times", b.closed)
				}
			})
		})
	}
}

func TestShutdownDoesNotWaitLongForABackendThatNeverWas(t *testing.T) {
	absent := &RetryError{Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		before      bool // whether it took a span
		back        int  // the attempt that reaches it, 0: none
		least, most time.Duration
		lost        uint64
	}{
		"never there":        {false, 0, 0, absentTimeout + grace, 35},
		"comes up at once":   {false, 3, 0, absentTimeout, 0},
		"was there":          {true, 0, 10 * time.Second, 10*time.Second + grace, 35},
		"was there, returns": {true, 7, absentTimeout, 10 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up, calls := c.before, 0
				p := start(t, &backend{answer: func(context.Context, []string) error {
					if calls++; up || calls == c.back {
						up = true
						return nil
					}
					return absent
				}}, Queue{Batch: 10})
				if c.before {
					numbered(p, 0, 1)
					p.Flush(within(t, time.Second))
				}
				up, calls = false, 0
				numbered(p, 1, 35)
				begun := time.Now()
				err := p.Shutdown(within(t, 10*time.Second))
				if took := time.Since(begun); took < c.least || took > c.most {
					t.Errorf("took %v", took)
				}
				if s := p.Stats(); (err != nil) != (c.lost > 0) || s.Dropped.Closed != c.lost || s.Dropped.Total() != c.lost {
					t.Errorf("%v, %+v", err, s)
				}
			})
		})
	}
}

func TestShutdownDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		p := start(t, b, Queue{Batch: 10})
		want := numbered(p, 0, 35)
		for range 2 {
			if err := p.Shutdown(within(t, time.Second)); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff(want, b.took()); diff != "" {
			t.Error(diff)
		}
		numbered(p, 35, 4)
		if s := p.Stats(); s.Reported != 39 || s.Delivered != 35 || s.Dropped.Closed != 4 {
			t.Errorf("spans reported after Shutdown: %+v", s)
		}
		if err := p.Flush(within(t, time.Second)); err != nil {
			t.Errorf("Flush after Shutdown: %v", err)
		}
		if b.closed != 1 {
			t.Errorf("the sender was closed %d times", b.closed)
		}
	})
}

func TestStatsAddUpAtEveryMoment(t *testing.T) {
	for _, policy := range []Overflow{DropNewest, DropOldest, Block} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			calls := 0
			b := &backend{answer: func(_ context.Context, names []string) error {
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
			p := start(t, b, Queue{Size: 50, Batch: 8, Interval: time.Millisecond, Overflow: policy},
				func(f *Factory, _ *Env) { f.Retry = Retry{Initial: time.Microsecond, Max: time.Microsecond} })
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
			stop, watched := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(watched)
				for {
					sum(t, p.Stats())
					select {
					case <-stop:
						return
					default:
					}
				}
			}()
			offers.Wait()
			for range 3 {
				offers.Go(func() { p.Shutdown(within(t, 10*time.Second)) })
			}
			offers.Wait()
			close(stop)
			<-watched
			s := p.Stats()
			sum(t, s)
			if s.Reported != 8000 || s.Queued+s.InFlight != 0 {
				t.Errorf("at the end: %+v", s)
			}
		})
	}
}
