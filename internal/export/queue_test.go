package export

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

func kilobyte(i int) *model.Span {
	return &model.Span{Name: fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1020))}
}

func TestTheQueueIsBoundedInBytes(t *testing.T) {
	const limit = 20_000
	for _, policy := range []Overflow{DropNewest, DropOldest} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer, release := stuck()
				defer release()
				b := &backend{answer: answer}
				p := start(t, b, Queue{Batch: 5, Bytes: limit, Overflow: policy})
				for i := range 5 {
					p.Enqueue(kilobyte(i))
				}
				synctest.Wait()
				for i := 5; i < 100; i++ {
					p.Enqueue(kilobyte(i))
				}
				s := p.Stats()
				sum(t, s)
				if s.InFlight != 5 || s.Queued != 13 || s.Dropped != (Drops{QueueFull: 82}) {
					t.Errorf("what is in flight counts, too: %+v", s)
				}
				if s.Bytes > limit || s.Bytes < limit-1100 {
					t.Errorf("%d bytes of %d", s.Bytes, limit)
				}
				release()
				p.Flush(within(t, time.Minute))
				if s := p.Stats(); s.Bytes != 0 || s.Delivered != 18 {
					t.Errorf("afterwards: %+v", s)
				}
				want := "0017"
				if policy == DropOldest {
					want = "0099"
				}
				if got := b.took(); !strings.HasPrefix(got[17], want) {
					t.Errorf("the last one is %.4s, want %s", got[17], want)
				}
			})
		})
	}
}

func TestBlockWaitsForBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		b := &backend{answer: answer}
		p := start(t, b, Queue{Bytes: 5000, Interval: time.Hour, Overflow: Block})
		begun := time.Now()
		var producers sync.WaitGroup
		for i := range 4 {
			producers.Go(func() {
				for j := range 25 {
					p.Enqueue(kilobyte(25*i + j))
				}
			})
		}
		synctest.Wait()
		if s := p.Stats(); s.Bytes > 5000 || s.Reported > 4+4 {
			t.Errorf("while the backend hangs: %+v", s)
		}
		release()
		producers.Wait() // although no batch is ever full, and the interval is an hour
		p.Flush(within(t, time.Minute))
		if s := p.Stats(); s.Delivered != 100 || s.Dropped.Total() != 0 || s.Bytes != 0 || time.Since(begun) > time.Second {
			t.Errorf("after %v: %+v", time.Since(begun), s)
		}
	})
}

func TestASpanLargerThanTheQueueIsDroppedUnderEveryPolicy(t *testing.T) {
	for _, policy := range []Overflow{DropNewest, DropOldest, Block} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			b := &backend{}
			p := start(t, b, Queue{Bytes: 1000, Interval: time.Hour, Overflow: policy})
			p.Enqueue(&model.Span{Name: "before"})
			p.Enqueue(kilobyte(0))
			p.Enqueue(&model.Span{Name: "after"})
			p.Flush(within(t, 10*time.Second))
			if s := p.Stats(); s.Delivered != 2 || s.Dropped != (Drops{TooLarge: 1}) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestNegativeBytesAreNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := stuck()
		defer release()
		p := start(t, &backend{answer: answer, max: 4 << 20}, Queue{Bytes: -1})
		for range 70 {
			p.Enqueue(&model.Span{Name: strings.Repeat("x", 1<<20)})
		}
		if s := p.Stats(); s.Dropped.Total() != 0 || s.Bytes < 70<<20 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheDefaultBoundIs64MiB(t *testing.T) {
	if q := (Queue{}).WithDefaults(); q.Bytes != 64<<20 {
		t.Errorf("%d bytes", q.Bytes)
	}
}

// TestEntriesKeepTheirBytes pushes, pops and releases at random and compares with a plain list.
func TestEntriesKeepTheirBytes(t *testing.T) {
	var q queue
	var waiting, taken [][]byte
	var entries []entry
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 50_000 {
		switch n := r.IntN(10); {
		case n < 5:
			data := []byte(strings.Repeat(fmt.Sprint(i, ","), 1+r.IntN(1+r.IntN(3000))))
			q.push(data)
			waiting = append(waiting, data)
		case n < 8 && len(waiting) > 0:
			entries = append(entries, q.pop())
			taken, waiting = append(taken, waiting[0]), waiting[1:]
		case len(entries) > 0:
			at := r.IntN(len(entries))
			if string(entries[at].data()) != string(taken[at]) {
				t.Fatalf("step %d: an entry changed", i)
			}
			q.release(entries[at])
			entries = append(entries[:at], entries[at+1:]...)
			taken = append(taken[:at], taken[at+1:]...)
		}
	}
	bytes := 0
	for _, data := range append(waiting, taken...) {
		bytes += len(data) + entryBytes
	}
	if q.bytes != bytes || q.len() != len(waiting) {
		t.Errorf("%d bytes, %d waiting; want %d, %d", q.bytes, q.len(), bytes, len(waiting))
	}
}

func TestReservedSpansAreCountedWhateverHappens(t *testing.T) {
	for name, end := range map[string]func(p *Pipeline, s *model.Span){
		"fulfilled": func(p *Pipeline, s *model.Span) { p.Fulfill(s) },
		"discarded": func(p *Pipeline, _ *model.Span) { p.Discard() },
		"forgotten": func(*Pipeline, *model.Span) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := start(t, &backend{}, Queue{})
				p.Reserve()
				if s := p.Stats(); s.Queued != 1 || s.Reported != 1 {
					t.Errorf("reserved: %+v", s)
				}
				stopped := make(chan error)
				go func() { stopped <- p.Shutdown(within(t, time.Second)) }()
				synctest.Wait()
				end(p, &model.Span{Name: "x"})
				err := <-stopped
				s := p.Stats()
				sum(t, s)
				want := map[string]Stats{
					"fulfilled": {Reported: 1, Delivered: 1},
					"discarded": {Reported: 1, Dropped: Drops{QueueFull: 1}},
					"forgotten": {Reported: 1, Dropped: Drops{Closed: 1}},
				}[name]
				if s != want || (err != nil) != (name == "forgotten") {
					t.Errorf("%v, %+v, want %+v", err, s, want)
				}
				end(p, &model.Span{}) // late
				if p.Stats() != want {
					t.Errorf("late: %+v", p.Stats())
				}
			})
		})
	}
}

func TestABackendThatNeverTookASpanGetsOneSecond(t *testing.T) {
	hang := func(ctx context.Context, _ []string) error { <-ctx.Done(); return &RetryError{Err: ctx.Err()} }
	for name, c := range map[string]struct {
		answer func(context.Context, []string) error
		least  time.Duration
	}{
		"hangs": {hang, absentTimeout},
		"busy":  {func(context.Context, []string) error { return &RetryError{Err: errors.New("503")} }, absentTimeout},
		"requires a minute": {func(context.Context, []string) error {
			return &RetryError{Err: errors.New("503"), After: time.Minute}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := start(t, &backend{answer: c.answer}, Queue{}, func(f *Factory, _ *Env) { f.Retry.Limit = time.Hour })
				numbered(p, 0, 5)
				begun := time.Now()
				err := p.Shutdown(within(t, 10*time.Second))
				if took := time.Since(begun); took < c.least || took > absentTimeout+50*time.Millisecond || err == nil {
					t.Errorf("took %v, %v", took, err)
				}
				if s := p.Stats(); s.Dropped != (Drops{Closed: 5}) || s.LastError == "" {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}
