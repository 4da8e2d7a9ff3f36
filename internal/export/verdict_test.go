package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

// gateway answers as a backend that takes bodies of at most limit bytes.
func gateway(limit int) (b *backend, asked *[]int) {
	asked = new([]int)
	b = &backend{answer: func(_ context.Context, names []string) error {
		size := len(strings.Join(names, "\n")) + 1
		if *asked = append(*asked, size); size > limit {
			return &TooLargeError{errors.New("413")}
		}
		return nil
	}}
	return b, asked
}

func TestABatchThatIsTooLargeIsHalvedAndTheSizeRemembered(t *testing.T) {
	b, asked := gateway(1000)
	p := start(t, b, Queue{Interval: time.Hour})
	var want []string
	enqueue := func(n int) {
		for range n {
			want = append(want, fmt.Sprintf("%05d", len(want)))
			p.Enqueue(&model.Span{Name: want[len(want)-1]})
		}
		p.Flush(within(t, 10*time.Second))
	}
	enqueue(500)
	first := len(*asked)
	enqueue(500)
	if diff := cmp.Diff(want, b.took()); diff != "" {
		t.Error(diff)
	}
	if again := slices.Max((*asked)[first:]); again > 1000 {
		t.Errorf("a batch of %d bytes was sent although the limit was known", again)
	}
	if s := p.Stats(); s.Delivered != 1000 || s.Failures != 0 || s.LastError != "" {
		t.Errorf("learning the size is no failure: %+v", s)
	}
}

// TestASizeThatWasRememberedIsForgotten has a receiver that once refuses a span as too large which is none of its
// limits: batches must not be of one span each for ever.
func TestASizeThatWasRememberedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		b := &backend{answer: func(_ context.Context, names []string) error {
			if slices.Contains(names, "odd") {
				return &TooLargeError{errors.New("413")}
			}
			sizes = append(sizes, len(names))
			return nil
		}}
		p := start(t, b, Queue{Interval: time.Hour})
		for i := range 512 {
			p.Enqueue(&model.Span{Name: map[bool]string{true: "odd", false: "abc"}[i == 100]})
		}
		p.Flush(within(t, 10*time.Second))
		for _, c := range []struct {
			wait    time.Duration
			batches int // of 100 spans
		}{{time.Second, 100}, {forgetAfter, 1}} {
			time.Sleep(c.wait)
			sizes = nil
			numbered(p, 100, 100)
			p.Flush(within(t, 10*time.Second))
			if len(sizes) != c.batches {
				t.Errorf("after %v: %d batches, want %d", c.wait, len(sizes), c.batches)
			}
		}
		if s := p.Stats(); s.Dropped != (Drops{TooLarge: 1}) || s.Delivered != 711 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOneSpanThatIsTooLargeIsDroppedAlone(t *testing.T) {
	b, _ := gateway(100)
	p := start(t, b, Queue{Interval: time.Hour})
	for _, n := range []int{10, 10, 200, 10, 300, 10} {
		p.Enqueue(&model.Span{Name: strings.Repeat("x", n)})
	}
	p.Flush(within(t, 10*time.Second))
	s := p.Stats()
	if sum(t, s); s.Delivered != 4 || s.Dropped != (Drops{TooLarge: 2}) || s.LastError != "413" {
		t.Errorf("%+v", s)
	}
}

// choking answers as a receiver that fails with a 5xx on every batch that holds a poisonous span.
func choking(poison string) (b *backend, tries *int) {
	tries = new(int)
	b = &backend{answer: func(_ context.Context, names []string) error {
		if slices.Contains(names, poison) {
			*tries++
			return &RetryError{Err: errors.New("500"), Suspect: true}
		}
		return nil
	}}
	return b, tries
}

func TestAPoisonousBatchHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, tries := choking("3")
		p := start(t, b, Queue{Batch: 10})
		begun := time.Now()
		numbered(p, 0, 100)
		if err := p.Flush(within(t, time.Minute)); err != nil {
			t.Fatal(err)
		}
		s := p.Stats()
		if sum(t, s); s.Delivered != 90 || s.Dropped != (Drops{Refused: 10}) {
			t.Errorf("%+v", s)
		}
		if *tries != 1+suspectTries {
			t.Errorf("tried %d times; %d wanted", *tries, 1+suspectTries)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// A receiver that crashes on a batch, or takes too long for it, takes the others. The batch itself is tried until its
// limit, since it may be the network that fails.
func TestABatchWithoutAnAnswerHoldsUpNobody(t *testing.T) {
	for _, limit := range []time.Duration{time.Minute, 10 * time.Second} {
		t.Run(limit.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				b := &backend{answer: func(_ context.Context, names []string) error {
					if slices.Contains(names, "3") {
						tries++
						return &RetryError{Err: errors.New("reset"), Others: true}
					}
					return nil
				}}
				p := start(t, b, Queue{Batch: 10}, func(f *Factory, _ *Env) { f.Retry.Limit = limit })
				numbered(p, 0, 500)
				time.Sleep(time.Second)
				if s := p.Stats(); s.Delivered != 490 || s.InFlight != 10 {
					t.Errorf("after a second: %+v", s)
				}
				time.Sleep(limit)
				s := p.Stats()
				if sum(t, s); s.Dropped != (Drops{Failed: 10}) || tries < 5 {
					t.Errorf("after %d tries: %+v", tries, s)
				}
			})
		})
	}
}

func TestAPoisonousBatchAloneIsTriedUntilItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, tries := choking("3")
		p := start(t, b, Queue{Batch: 10, Interval: time.Hour})
		begun := time.Now()
		numbered(p, 0, 10)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		s := p.Stats()
		if *tries < 10 || s.Dropped != (Drops{Failed: 10}) {
			t.Errorf("tried %d times in %v: %+v", *tries, time.Since(begun), s)
		}
	})
}

func TestABackendThatRefusesEverythingForAWhileLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		b := &backend{answer: func(context.Context, []string) error {
			if time.Since(begun) < 20*time.Second { // as a memory limiter does
				return &RetryError{Err: errors.New("500"), Suspect: true}
			}
			return nil
		}}
		p := start(t, b, Queue{Batch: 10})
		want := numbered(p, 0, 100)
		if err := p.Flush(within(t, time.Hour)); err != nil {
			t.Fatal(err)
		}
		got := b.took()
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if s := p.Stats(); s.Delivered != 100 || s.Dropped.Total() != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestARefusedBatchHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(_ context.Context, names []string) error {
			if slices.Contains(names, "3") {
				return errors.New("500")
			}
			return nil
		}}
		p := start(t, b, Queue{Batch: 10})
		begun := time.Now()
		numbered(p, 0, 100)
		p.Flush(within(t, time.Minute))
		if s := p.Stats(); s.Delivered != 90 || s.Dropped != (Drops{Refused: 10}) || time.Since(begun) > 0 {
			t.Errorf("after %v: %+v", time.Since(begun), s)
		}
	})
}

func TestASuspectBatchAtShutdownIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := choking("3")
		p := start(t, b, Queue{Batch: 10, Interval: time.Hour})
		numbered(p, 0, 10)
		synctest.Wait()
		numbered(p, 10, 35)
		p.Shutdown(within(t, 10*time.Second))
		s := p.Stats()
		if sum(t, s); s.Delivered != 35 || s.Dropped.Total() != 10 || s.Queued+s.InFlight+s.Bytes != 0 {
			t.Errorf("%+v", s)
		}
	})
}
