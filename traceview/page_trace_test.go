package traceview_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

func TestTracesOfManyServicesShowTheirSpans(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(3000) {
		put(t, v, fmt.Sprint("service-", n), spanAt(n+1, min(n, 1), int(n), 3001, ""))
	}
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1)))
	head, _, _ := strings.Cut(page, `id="waterfall"`)
	if n := strings.Count(head, `class="chip `); n > traceview.MaxLegend {
		t.Errorf("%d services stand above the spans", n)
	}
	contains(t, head, "2,976 more")
}

func TestIndentationsShowTheFirstLevels(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(500) {
		put(t, v, "shop", spanAt(n+1, n, int(n), 1000, ""))
	}
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1)))
	for depth := range traceview.ExactDepth + 1 {
		contains(t, page, fmt.Sprintf(`class="span d%d c`, depth))
	}
	if last := traceview.IndentOf(499, 499); last != traceview.MaxDepth {
		t.Errorf("the deepest span is indented %d steps, want %d", last, traceview.MaxDepth)
	}
	for depth := 1; depth < 500; depth++ {
		if traceview.IndentOf(depth, 499) < traceview.IndentOf(depth-1, 499) {
			t.Errorf("depth %d is left of its parent", depth)
		}
	}
}
