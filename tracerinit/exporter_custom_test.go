package tracerinit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// own is an exporter of an application's.
type own struct {
	mu      sync.Mutex
	process tracerinit.Process
	spans   []tracerinit.Span
	sent    []string
	closed  int
	answer  func() error
}

func (*own) Name() string     { return "own" }
func (*own) Endpoint() string { return "here" }

func (o *own) Open(p tracerinit.Process) (tracerinit.Sender, error) {
	if p.Service == "" || len(p.Tags) == 0 {
		return nil, errors.New("no process")
	}
	o.process = p
	return o, nil
}

func (o *own) AppendSpan(dst []byte, s *tracerinit.Span) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spans = append(o.spans, *s)
	return append(dst, s.Name...)
}

func (o *own) Send(_ context.Context, spans [][]byte) error {
	if o.answer != nil {
		if err := o.answer(); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range spans {
		o.sent = append(o.sent, string(s))
	}
	return nil
}

func (o *own) Close() error {
	o.closed++
	return nil
}

func TestAnExporterOfTheApplications(t *testing.T) {
	failures := 2
	o := &own{answer: func() error {
		if failures--; failures >= 0 {
			return tracerinit.Retryable(errors.New("not now"), time.Millisecond)
		}
		return nil
	}}
	tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{o}, Limits: tracerinit.Limits{Tags: 3, ValueBytes: 8}})
	root := testspans.Start(t, tracer, "root")
	child := tracer.StartSpan("child", opentracing.ChildOf(root.Context()), opentracing.FollowsFrom(testspans.Start(t, tracer, "other").Context()))
	child.SetTag("error", true).SetTag("n", 7).SetTag("f", 0.5).SetTag("long", strings.Repeat("x", 100)).SetTag("cut", 1)
	child.LogFields(log.Event("e"), log.Error(errors.New("an error")))
	child.Finish()
	if err := tracer.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(o.sent) != "[child]" || len(o.spans) != 1 {
		t.Fatalf("sent %v", o.sent)
	}
	s, sc := o.spans[0], contextOf(root)
	if s.TraceID != fmt.Sprintf("%016x%016x", sc.TraceID().High, sc.TraceID().Low) || s.ParentID != fmt.Sprintf("%016x", uint64(sc.SpanID())) {
		t.Errorf("ids: %+v", s)
	}
	if fmt.Sprint(s.Tags) != "[{error true} {n 7} {f 0.5}]" || s.DroppedTags != 2 || s.ShortenedValues != 1 {
		t.Errorf("%+v", s)
	}
	if len(s.Logs) != 1 || fmt.Sprint(s.Logs[0].Fields) != "[{event e} {error.object an error}]" {
		t.Errorf("logs %+v", s.Logs)
	}
	if len(s.References) != 1 || !s.References[0].FollowsFrom {
		t.Errorf("references %+v", s.References)
	}
	e := tracer.Stats().Exporters[0]
	if e.Name != "own" || e.Endpoint != "here" || e.Delivered != 1 || e.Failures != 2 {
		t.Errorf("%+v", e)
	}
	if l := tracer.Stats().Limited; l != (tracerinit.LimitStats{Spans: 1, Tags: 2, Values: 1}) {
		t.Errorf("%+v", l)
	}
	tracer.Close()
	if o.closed != 1 {
		t.Errorf("closed %d times", o.closed)
	}
}

// filtered wraps an exporter of this package and leaves spans out.
type filtered struct{ tracerinit.Exporter }

func (f filtered) Open(p tracerinit.Process) (tracerinit.Sender, error) {
	s, err := f.Exporter.Open(p)
	return renaming{s}, err
}

type renaming struct{ tracerinit.Sender }

func (r renaming) AppendSpan(dst []byte, s *tracerinit.Span) []byte {
	renamed := *s
	renamed.Name = "renamed " + s.Name
	return r.Sender.AppendSpan(dst, &renamed)
}

// TestASendThatDoesNotReturn has what a fake exporter does in a test that fails: FailNow ends its goroutine.
func TestASendThatDoesNotReturn(t *testing.T) {
	for name, answer := range map[string]func() error{
		"panics":             func() error { panic("no") },
		"ends its goroutine": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			o := &own{answer: func() error {
				if calls++; calls == 1 {
					return answer()
				}
				return nil
			}}
			tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{o}})
			for range 2 {
				tracer.StartSpan("x").Finish()
				if err := tracer.Flush(within(t, time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			if s := tracer.Stats().Exporters[0]; s.Delivered != 1 || s.Dropped.Refused != 1 || !strings.HasPrefix(s.LastError, "own: sending ") {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestExportersCanBeWrapped(t *testing.T) {
	for name, c := range map[string]struct {
		build  func(string, ...tracerinit.HTTPOption) tracerinit.Exporter
		decode func(testing.TB, []byte) []string
	}{"otlp": {tracerinit.OTLPHTTP, otlpNames}, "jaeger": {tracerinit.JaegerHTTP, thriftNames}} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, nil)
			tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{filtered{c.build(b.URL)}}})
			tracer.StartSpan("x").Finish()
			tracer.Flush(within(t, time.Minute))
			if got := b.names(t, c.decode); fmt.Sprint(got) != "[renamed x]" {
				t.Errorf("%v", got)
			}
		})
	}
}

// locked is a value whose method needs a lock that the application may hold where it finishes the span.
type locked struct{ mu *sync.Mutex }

func (l locked) Error() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return "locked"
}

func TestFinishCallsNothingOfTheApplications(t *testing.T) {
	for _, policy := range []tracerinit.Overflow{tracerinit.DropNewest, tracerinit.DropOldest, tracerinit.Block} {
		t.Run(policy.String(), func(t *testing.T) {
			o := &own{}
			tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{o}, Queue: tracerinit.Queue{Overflow: policy}})
			var mu sync.Mutex
			mu.Lock()
			span := tracer.StartSpan("x")
			span.SetTag("err", locked{&mu})
			span.Finish() // would not return
			tracer.StartSpan("y").Finish()
			if s := tracer.Stats().Exporters[0]; s.Reported != 2 || s.Queued+s.InFlight+s.Delivered != 2 {
				t.Errorf("%+v", s)
			}
			if err := tracer.Flush(within(t, 50*time.Millisecond)); err == nil && len(o.sent) == 2 {
				t.Error("both are sent")
			}
			mu.Unlock()
			eventually(t, "both sent", func() bool {
				tracer.Flush(within(t, time.Second))
				return tracer.Stats().Exporters[0].Delivered == 2
			})
		})
	}
}

func TestAMethodThatHangsDelaysShutdownUntilItsDeadline(t *testing.T) {
	o := &own{}
	tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{o}})
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	tracer.StartSpan("x").SetTag("err", locked{&mu}).Finish()
	tracer.StartSpan("y").Finish()
	began := time.Now()
	err := tracer.Shutdown(within(t, 200*time.Millisecond))
	if took := time.Since(began); err == nil || took > 5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if s := tracer.Stats().Exporters[0]; s.Delivered != 1 || s.Dropped.Closed != 1 || s.Queued+s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
}

func TestValuesAreCutBeforeTheyWait(t *testing.T) {
	down := &own{answer: func() error { return tracerinit.Retryable(errors.New("down"), time.Hour) }}
	tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{down}, Limits: tracerinit.Limits{ValueBytes: 1 << 10}})
	big := strings.Repeat("x", 256<<10)
	for i, v := range []any{big, []byte(big), errors.New(big), []string{big, big}, struct{ S string }{big}} {
		for range 20 {
			tracer.StartSpan("x").SetTag("v", v).Finish()
		}
		eventually(t, "all converted", func() bool { return tracer.Stats().Limited.Values == uint64(20*(i+1)) })
	}
	if s := tracer.Stats().Exporters[0]; s.Bytes > 100*(1<<10+200) || s.Queued+s.InFlight != 100 {
		t.Errorf("%+v", s)
	}
}
