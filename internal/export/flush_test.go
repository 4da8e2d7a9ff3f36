package export

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

func TestShutdownDrainsTheQueue(t *testing.T) {
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
