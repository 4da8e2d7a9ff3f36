package traceview_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// TestLargeTracesAreLoaded has one that is saved in several lines, since lines have a limit.
func TestLargeTracesAreLoaded(t *testing.T) {
	v := newView(t, traceview.Config{})
	value := strings.Repeat("x", 12<<10)
	const spans = 1000
	for n := range uint64(spans) {
		s := root(1, noon, ms(1))
		s.SpanID, s.Tags = n+1, []model.Tag{tag("body", value)}
		put(t, v, "shop", s)
	}
	put(t, v, "shop", root(2, noon, ms(1)))
	mustPin(t, v, 1, "1")
	var file bytes.Buffer
	if err := v.Save(&file); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.SplitAfter(file.String(), "\n") {
		if len(line) > traceview.MaxLine/8 { // even if each byte takes six, as in JSON some do
			t.Errorf("line %d has %d bytes", i+1, len(line))
		}
	}
	again := newView(t, traceview.Config{})
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	contains(t, get(t, again, "/debug/traces/"), "2 traces, 1,001 spans")
	if rows := listed(t, again, "q=pinned"); len(rows) != 1 {
		t.Errorf("pinned after loading: %v", rows)
	}
}

// TestALineThatIsTooLongCostsNoOther as any line that cannot be read.
func TestALineThatIsTooLongCostsNoOther(t *testing.T) {
	good := func(n uint64) string {
		v := newView(t, traceview.Config{})
		put(t, v, "shop", root(n, noon, ms(1)))
		var file bytes.Buffer
		if err := v.Save(&file); err != nil {
			t.Fatal(err)
		}
		return file.String()
	}
	for name, bad := range map[string]string{
		"too long": `{"resourceSpans":[` + strings.Repeat(" ", traceview.MaxLine), "cut off": `{"resourceSpans":[`,
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			err := v.Load(strings.NewReader(good(1) + bad + "\n\n" + good(2) + strings.TrimSuffix(good(3), "\n")))
			if err == nil || !strings.Contains(err.Error(), "1 line cannot be read") {
				t.Errorf("error %v", err)
			}
			contains(t, get(t, v, "/debug/traces/"), "3 traces, 3 spans")
		})
	}
}
