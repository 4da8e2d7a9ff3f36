package export

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

func TestBatchesAreBoundedByBytes(t *testing.T) {
	var sizes []int
	enqueued := make(chan struct{})
	b := &backend{max: 1000, answer: func(_ context.Context, names []string) error {
		<-enqueued // the worker may have taken the first spans before there were others
		sizes = append(sizes, len(strings.Join(names, "\n"))+1)
		return nil
	}}
	p := start(t, b, Queue{Batch: 500})
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprint(i, strings.Repeat("x", i%90)))
		p.Enqueue(&model.Span{Name: want[i]})
	}
	close(enqueued)
	p.Flush(within(t, 10*time.Second))
	if diff := cmp.Diff(want, b.took()); diff != "" {
		t.Error(diff)
	}
	least := 0
	for _, n := range sizes {
		if n > 1000 {
			t.Errorf("a batch of %d bytes; at most 1000 wanted", n)
		}
		if n < 800 {
			least++
		}
	}
	if least > 4 { // the last of each that the worker took
		t.Errorf("batches are not filled: %v", sizes)
	}
}

func TestALargeSpanGoesAlone(t *testing.T) {
	b := &backend{max: 4 << 20}
	p := start(t, b, Queue{})
	want := []string{"a", strings.Repeat("x", 2<<20), "b"}
	for _, name := range want {
		p.Enqueue(&model.Span{Name: name})
	}
	p.Flush(within(t, 10*time.Second))
	if diff := cmp.Diff(want, b.took()); diff != "" {
		t.Error("spans changed")
	}
	if s := p.Stats(); s.Delivered != 3 {
		t.Errorf("%+v", s)
	}
}

// text is a wire that shows all that trimming may take.
func text(dst []byte, s *model.Span) []byte {
	dst = append(dst, s.Name...)
	for _, l := range s.Logs {
		dst = fmt.Appendf(dst, " log:%s", l.Fields[0].Value.Str())
	}
	for _, t := range s.Tags {
		dst = fmt.Appendf(dst, " %s=%s", t.Key, t.Value.Str())
	}
	return append(dst, '\n')
}

func TestSpansThatAreTooLargeAreTrimmed(t *testing.T) {
	pad := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		op   string
		tags map[string]any
		log  string
		want func(got string) bool
	}{
		"fits as it is": {"op", map[string]any{"a": "b"}, pad(100), func(got string) bool {
			return strings.Contains(got, "log:"+pad(100)) && !strings.Contains(got, TrimmedTag)
		}},
		"logs go first": {"op", map[string]any{"a": pad(200)}, pad(400), func(got string) bool {
			return strings.Contains(got, "a="+pad(200)) && !strings.Contains(got, "log:") && strings.Contains(got, TrimmedTag+"=1 logs, 0 tags")
		}},
		"then the longest tags": {"op", map[string]any{"a": pad(10), "b": pad(300), "c": pad(600)}, "", func(got string) bool {
			return strings.Contains(got, "a="+pad(10)) && strings.Contains(got, "b="+pad(300)) && !strings.Contains(got, "c=") &&
				strings.Contains(got, TrimmedTag+"=0 logs, 1 tags")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{max: 500, encode: text}
			p := start(t, b, Queue{})
			s := &model.Span{Name: c.op}
			for k, v := range c.tags {
				s.Tags = append(s.Tags, model.Tag{Key: k, Value: model.ValueOf(v, 0)})
			}
			if c.log != "" {
				s.Logs = []model.Log{{Fields: []model.Tag{{Key: "event", Value: model.String(c.log)}}}}
			}
			before := fmt.Sprint(*s)
			p.Enqueue(s)
			if after := fmt.Sprint(*s); after != before {
				t.Errorf("the span, which others hold, became %s", after)
			}
			p.Flush(within(t, 10*time.Second))
			if got := b.took(); len(got) != 1 || !c.want(got[0]) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestWhatCannotBeTrimmedIsCounted(t *testing.T) {
	b := &backend{max: 500}
	p := start(t, b, Queue{})
	for _, name := range []string{"a", strings.Repeat("x", 5000), "b"} {
		p.Enqueue(&model.Span{Name: name})
	}
	p.Flush(within(t, 10*time.Second))
	if s := p.Stats(); s.Dropped.TooLarge != 1 || s.Delivered != 2 {
		t.Errorf("%+v", s)
	}
}
