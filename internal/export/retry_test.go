package export

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

var errDown = &RetryError{Err: errors.New("down")}

// attempts is a backend that fails with each error in turn, then takes all; at has the time of each request.
func attempts(errs ...error) (b *backend, at *[]time.Time) {
	at = new([]time.Time)
	return &backend{answer: func(context.Context, []string) error {
		*at = append(*at, time.Now())
		if n := len(*at); n <= len(errs) {
			return errs[n-1]
		}
		return nil
	}}, at
}

func TestPausesDoubleWithJitterUpToTheMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := make([]error, 9)
		for i := range errs {
			errs[i] = errDown
		}
		b, at := attempts(errs...)
		p := start(t, b, Queue{Batch: 1}, func(f *Factory, _ *Env) {
			f.Retry = Retry{Initial: time.Second, Max: 16 * time.Second, Limit: time.Hour}
		})
		numbered(p, 0, 1)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(*at) != 10 {
			t.Fatalf("%d attempts", len(*at))
		}
		want := time.Second
		for i := 1; i < len(*at); i++ {
			if pause := (*at)[i].Sub((*at)[i-1]); pause < want/2 || pause > want*3/2 {
				t.Errorf("pause %d is %v; %v ± half of it wanted", i, pause, want)
			}
			want = min(2*want, 16*time.Second)
		}
		if s := p.Stats(); s.Delivered != 1 || s.Failures != 9 {
			t.Errorf("%+v", s)
		}
	})
}

func TestPauseIsAtLeastTheRetryAfterOfTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, at := attempts(&RetryError{Err: errors.New("busy"), After: 30 * time.Second})
		p := start(t, b, Queue{Batch: 1})
		numbered(p, 0, 1)
		synctest.Wait()
		p.Flush(within(t, time.Hour)) // must not cut the pause short
		if pause := (*at)[1].Sub((*at)[0]); pause < 30*time.Second || pause > 31*time.Second {
			t.Errorf("tried again after %v", pause)
		}
	})
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "soon": 0, "1.5": 0, "0": 0, "-5": 0, "5": 5 * time.Second, "Sun, 01 Mar 2026 12:00:09 GMT": 9 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		t.Run("Retry-After "+value, func(t *testing.T) {
			if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
				t.Errorf("%q: %v, want %v", value, got, want)
			}
		})
	}
	for date, want := range map[string]time.Duration{
		"Sun, 01 Mar 2026 13:00:00 GMT": 9 * time.Second, "Sun, 01 Mar 2026 13:00:30 GMT": 0, "today": time.Hour + 9*time.Second,
	} {
		t.Run("Date "+date, func(t *testing.T) {
			h := http.Header{"Retry-After": {"Sun, 01 Mar 2026 13:00:09 GMT"}, "Date": {date}}
			if got := retryAfter(h, now); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	for _, value := range []string{"4294967296", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		t.Run("Retry-After "+value, func(t *testing.T) {
			if got := retryAfter(http.Header{"Retry-After": {value}}, now); got < maxRetryAfter {
				t.Errorf("%q: %v", value, got)
			}
		})
	}
	if got := retryAfter(http.Header{"Retry-After": {"-99999999999999999999"}}, now); got != 0 {
		t.Errorf("less than nothing: %v", got)
	}
}

func TestTheNextBatchWaitsForTheRetryAfterOfTheLast(t *testing.T) {
	for _, c := range []struct{ after, least, most time.Duration }{
		{2 * time.Minute, 2 * time.Minute, 121 * time.Second},
		{1 << 62, 5 * time.Minute, 301 * time.Second},
	} {
		t.Run(c.after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, at := attempts(&RetryError{Err: errors.New("busy"), After: c.after})
				p := start(t, b, Queue{Batch: 1}, func(f *Factory, _ *Env) { f.Retry.Limit = -1 })
				numbered(p, 0, 3)
				p.Flush(within(t, time.Hour))
				if s := p.Stats(); s.Dropped.Failed != 1 || s.Delivered != 2 {
					t.Errorf("%+v", s)
				}
				if pause := (*at)[1].Sub((*at)[0]); pause < c.least || pause > c.most {
					t.Errorf("asked for %v, the next batch went after %v", c.after, pause)
				}
			})
		})
	}
}

func TestRetriesEndAtTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		limit    time.Duration
		most     time.Duration
		attempts func(n int) bool
		drops    Drops
	}{
		"at the limit":          {errDown, time.Minute, time.Minute, func(n int) bool { return n > 5 }, Drops{Failed: 3}},
		"at the default limit":  {errDown, 0, time.Minute, func(n int) bool { return n > 5 }, Drops{Failed: 3}},
		"at once if negative":   {errDown, -1, 0, func(n int) bool { return n == 1 }, Drops{Failed: 3}},
		"at once for a refusal": {errors.New("400"), time.Minute, 0, func(n int) bool { return n == 1 }, Drops{Refused: 3}},
		"at the limit if asked to wait longer": {&RetryError{Err: errors.New("busy"), After: time.Hour}, time.Minute, time.Minute,
			func(n int) bool { return n == 2 }, Drops{Failed: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				b := &backend{answer: func(context.Context, []string) error { n++; return c.err }}
				p := start(t, b, Queue{}, func(f *Factory, _ *Env) { f.Retry.Limit = c.limit })
				numbered(p, 0, 3)
				begun := time.Now()
				if err := p.Flush(within(t, time.Hour)); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > c.most {
					t.Errorf("gave up after %v", took)
				}
				s := p.Stats()
				if diff := cmp.Diff(c.drops, s.Dropped); diff != "" || !c.attempts(n) || s.Failures != uint64(n) {
					t.Errorf("%d attempts, %+v, %s", n, s, diff)
				}
			})
		})
	}
}

func TestFlushAndShutdownSkipABackOff(t *testing.T) {
	for name, end := range map[string]func(*Pipeline, context.Context) error{"flush": (*Pipeline).Flush, "shutdown": (*Pipeline).Shutdown} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := attempts(errDown)
				p := start(t, b, Queue{Batch: 1}, func(f *Factory, _ *Env) { f.Retry = Retry{Initial: time.Minute, Limit: time.Hour} })
				numbered(p, 0, 1)
				synctest.Wait()
				if err := end(p, within(t, time.Second)); err != nil {
					t.Error(err)
				}
				if s := p.Stats(); s.Delivered != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestShutdownMakesALastTry has backends that require a pause which lasts longer than Shutdown.
func TestShutdownMakesALastTry(t *testing.T) {
	busy := &RetryError{Err: errors.New("busy"), After: time.Minute}
	for _, c := range []struct {
		name      string
		delivered bool // before
		recovers  bool
		after     time.Duration
		pause     time.Duration // until the last try
	}{
		{"recovered", true, true, time.Minute, 0}, {"busy still", true, false, time.Minute, 0},
		{"recovered, and never took a span", false, true, time.Minute, 0}, {"busy still, and never took a span", false, false, time.Minute, 0},
		{"a pause that ends in time", true, true, 3 * time.Second, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				busy.After = c.after
				taking, calls := true, []time.Time{}
				b := &backend{answer: func(context.Context, []string) error {
					calls = append(calls, time.Now())
					if !taking {
						return busy
					}
					return nil
				}}
				p := start(t, b, Queue{Batch: 1})
				if c.delivered {
					numbered(p, 0, 1)
					p.Flush(within(t, time.Second))
				}
				taking = false
				numbered(p, 1, 4) // four batches
				synctest.Wait()
				taking, calls = c.recovers, nil
				begun := time.Now()
				err := p.Shutdown(within(t, 5*time.Second))
				if s := p.Stats(); (err == nil) != c.recovers || (s.Dropped.Total() == 0) != c.recovers || (s.Dropped.Closed == 4) == c.recovers {
					t.Errorf("%v, %+v", err, s)
				}
				if len(calls) != 4 || calls[3].Sub(begun) != c.pause || time.Since(begun) > c.pause {
					t.Errorf("%d tries, the last after %v; Shutdown took %v", len(calls), calls[len(calls)-1].Sub(begun), time.Since(begun))
				}
			})
		})
	}
}

func TestOneAttemptIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := &backend{answer: func(ctx context.Context, _ []string) error {
			if calls++; calls == 1 {
				<-ctx.Done()
				return &RetryError{Err: ctx.Err()}
			}
			return nil
		}}
		p := start(t, b, Queue{Timeout: time.Hour}, func(f *Factory, _ *Env) { f.Timeout = 3 * time.Second })
		numbered(p, 0, 1)
		begun := time.Now()
		p.Flush(within(t, time.Minute))
		if took := time.Since(begun); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("delivered after %v", took)
		}
	})
}

func TestPartialSuccessIsExact(t *testing.T) {
	for _, c := range []struct{ rejected, want int }{{0, 0}, {3, 3}, {10, 10}, {99, 10}, {-1, 0}} {
		t.Run(fmt.Sprintf("%d rejected", c.rejected), func(t *testing.T) {
			b := &backend{answer: func(context.Context, []string) error {
				return &RejectedError{Count: c.rejected, Err: errors.New("too old")}
			}}
			p := start(t, b, Queue{Batch: 10})
			numbered(p, 0, 10)
			p.Flush(within(t, 10*time.Second))
			s := p.Stats()
			sum(t, s)
			if s.Dropped.Rejected != uint64(c.want) || s.Delivered != uint64(10-c.want) || s.LastError != "too old" {
				t.Errorf("%d rejected: %+v", c.rejected, s)
			}
		})
	}
}

func TestAPanicIsOneBatchLost(t *testing.T) {
	b := &backend{
		answer: func(_ context.Context, names []string) error {
			if names[0] == "0" {
				panic("send")
			}
			return nil
		},
		encode: func(dst []byte, s *model.Span) []byte {
			if s.Name == "2" {
				panic("encode")
			}
			return append(dst, s.Name...)
		},
	}
	p := start(t, b, Queue{Batch: 1})
	numbered(p, 0, 4)
	p.Flush(within(t, 10*time.Second))
	s := p.Stats()
	if diff := cmp.Diff([]string{"1", "3"}, b.took()); diff != "" || s.Dropped != (Drops{Refused: 1, TooLarge: 1}) {
		t.Errorf("%+v %s", s, diff)
	}
	if !strings.Contains(s.LastError, "panic") {
		t.Errorf("%q", s.LastError)
	}
}
