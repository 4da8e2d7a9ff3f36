package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a logger's output, a map for each line.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) all(t *testing.T) (out []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for d := json.NewDecoder(bytes.NewReader(l.buf.Bytes())); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

func logged(l *lines) func(*Factory, *Env) {
	return func(_ *Factory, e *Env) { e.Logger = slog.New(slog.NewJSONHandler(l, nil)) }
}

func TestOneLineAMinuteSumsUpAllLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		b := &backend{answer: func(context.Context, []string) error { return errors.New("fake: 400 from nowhere") }}
		p := start(t, b, Queue{Batch: 1}, logged(&out))
		const minutes = 5
		for i := range minutes * 60 * 10 {
			numbered(p, i, 1)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		got := out.all(t)
		if len(got) < minutes || len(got) > minutes+1 {
			t.Errorf("%d lines in %d minutes", len(got), minutes)
		}
		dropped, refused := 0.0, 0.0
		for _, line := range got {
			dropped += line["dropped"].(float64)
			refused += line["refused"].(float64)
		}
		if dropped != minutes*600 || refused != minutes*600 {
			t.Errorf("the lines tell of %v and %v spans; %d were lost", dropped, refused, minutes*600)
		}
		if l := got[0]; l["exporter"] != "fake" || l["endpoint"] != "nowhere" || l["error"] != "fake: 400 from nowhere" || l["level"] != "WARN" {
			t.Errorf("%v", l)
		}
	})
}

func TestShutdownLogsLossesThatAreNotLoggedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		p := start(t, &backend{answer: func(context.Context, []string) error { return errDown }}, Queue{}, logged(&out))
		numbered(p, 0, 7)
		p.Shutdown(within(t, 100*time.Millisecond))
		p.Shutdown(within(t, 100*time.Millisecond))
		if got := out.all(t); len(got) != 1 || got[0]["closed"] != 7.0 || got[0]["error"] != "down" {
			t.Errorf("%v", got)
		}
	})
}

func TestABackendThatNeverAnswersIsNamedAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		p := start(t, &backend{answer: func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() }}, Queue{}, logged(&out))
		numbered(p, 0, 7)
		p.Shutdown(within(t, time.Minute))
		if got := out.all(t); len(got) != 1 || got[0]["closed"] != 7.0 || got[0]["error"] != "fake: no answer from nowhere until the shutdown" {
			t.Errorf("%v", got)
		}
	})
}

func TestABackendThatIsDownIsLoggedBeforeAnythingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		p := start(t, &backend{answer: func(context.Context, []string) error { return errDown }}, Queue{Batch: 1}, logged(&out))
		numbered(p, 0, 1)
		time.Sleep(2 * failureDelay)
		if got := out.all(t); len(got) != 1 || got[0]["dropped"] != 0.0 || got[0]["failed_attempts"] == nil {
			t.Errorf("%v", got)
		}
	})
}

func TestNothingIsLoggedWhenAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		p := start(t, &backend{}, Queue{}, logged(&out))
		numbered(p, 0, 50)
		time.Sleep(time.Hour)
		p.Shutdown(within(t, time.Second))
		if got := out.all(t); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

func TestFailuresThatPassAreNotLogged(t *testing.T) {
	for name, answers := range map[string][]error{
		"one": {errDown}, "several": {errDown, errDown, errDown}, "after a pause": {&RetryError{Err: errors.New("busy"), After: 3 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out lines
				b, _ := attempts(answers...)
				p := start(t, b, Queue{Batch: 1}, logged(&out))
				numbered(p, 0, 1)
				time.Sleep(time.Hour)
				p.Shutdown(within(t, time.Second))
				if got := out.all(t); len(got) != 0 || p.Stats().Delivered != 1 {
					t.Errorf("%v, %+v", got, p.Stats())
				}
			})
		})
	}
}

func TestALoggerThatHangsDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, release := stuck()
		defer release()
		hang := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) { r(t.Context(), nil); return len(p), nil }), nil))
		b := &backend{answer: func(context.Context, []string) error { return errors.New("no") }}
		p := start(t, b, Queue{Batch: 1}, func(_ *Factory, e *Env) { e.Logger = hang })
		numbered(p, 0, 3)
		time.Sleep(5 * time.Second)
		numbered(p, 3, 3)
		p.Flush(within(t, time.Second))
		begun := time.Now()
		p.Shutdown(within(t, time.Second))
		if took := time.Since(begun); took > time.Second+50*time.Millisecond {
			t.Errorf("Shutdown took %v", took)
		}
		if s := p.Stats(); s.Dropped.Refused != 6 {
			t.Errorf("%+v", s)
		}
		release()
	})
}

func TestALoggerThatPanicsEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		bad := slog.New(slog.NewTextHandler(writer(func([]byte) (int, error) { n++; panic("logger") }), nil))
		p := start(t, &backend{answer: func(context.Context, []string) error { return errors.New("no") }}, Queue{Batch: 1},
			func(_ *Factory, e *Env) { e.Logger = bad })
		numbered(p, 0, 1)
		time.Sleep(2 * lossInterval)
		numbered(p, 1, 1)
		p.Shutdown(within(t, time.Second))
		if s := p.Stats(); s.Dropped.Refused != 2 || n != 2 {
			t.Errorf("%d lines, %+v", n, s)
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
