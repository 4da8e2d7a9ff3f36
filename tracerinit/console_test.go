package tracerinit_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/tracerinit"
)

func TestConsoleWritesALineForEachSpan(t *testing.T) {
	var out bytes.Buffer
	l := open(t, tracerinit.Console(&out), tracerinit.Queue{})
	root := l.StartSpan("GET /items/{id}")
	defer root.Finish()
	child := l.StartSpan("SELECT", opentracing.ChildOf(root.Context()))
	child.SetTag("db.statement", "select\n\x1b[2J 1").SetTag("rows", 3).SetTag("error", true)
	child.LogFields(log.String("event", "error"), log.Error(errors.New("no rows")))
	child.Finish()
	if err := l.Shutdown(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z storefront "SELECT" \S+s trace=[0-9a-f]{32} span=[0-9a-f]{16} parent=[0-9a-f]{16} ` +
		`db.statement="select\\n\\x1b\[2J 1" error=true rows=3$`)
	if !want.MatchString(lines[0]) {
		t.Errorf("span: %s", lines[0])
	}
	if !regexp.MustCompile(`^    \+\S+s event=error error.object="no rows"$`).MatchString(lines[1]) {
		t.Errorf("log: %s", lines[1])
	}
}

func TestConsoleWriterThatFailsOrHangs(t *testing.T) {
	l := open(t, tracerinit.Console(writer(func([]byte) (int, error) { return 0, errors.New("disk full") })), tracerinit.Queue{})
	l.make(2)
	l.Flush(within(t, time.Minute))
	if s := l.Stats(); s.Dropped.Refused != 2 || !strings.Contains(s.LastError, "disk full") {
		t.Errorf("%+v", s)
	}
	inTime(t, 150*time.Millisecond, func() time.Duration {
		r, w := io.Pipe()
		defer r.Close()
		l := open(t, tracerinit.Console(w), tracerinit.Queue{})
		l.make(2)
		begun := time.Now()
		l.Shutdown(within(t, 100*time.Millisecond))
		took := time.Since(begun)
		if s := l.Stats(); s.Dropped.Closed != 2 {
			t.Errorf("%+v", s)
		}
		return took
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
