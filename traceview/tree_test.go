package traceview

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

// outline writes a trace as the page lists it: depth, span id.
func outline(t *testing.T, v *View, trace model.TraceID) string {
	t.Helper()
	snap, ok := v.store.get(trace)
	if !ok {
		t.Fatal("no trace")
	}
	var b strings.Builder
	walk(snap.tree(), func(n *node) bool {
		fmt.Fprintf(&b, "%s%d", strings.Repeat(".", n.depth), n.SpanID)
		if n.orphan {
			b.WriteString("?")
		}
		if n.skew != "" {
			b.WriteString("~")
		}
		for _, s := range n.critical {
			fmt.Fprintf(&b, " %d-%d", s.from.Milliseconds(), s.to.Milliseconds())
		}
		b.WriteString("\n")
		return true
	})
	return b.String()
}

func spanAt(n, parent uint64, from, to int, kind string) model.Span {
	s := model.Span{TraceID: id(1), SpanID: n, ParentID: parent, Name: fmt.Sprint("s", n), Start: noon.Add(ms(from)), Duration: ms(to - from)}
	if kind != "" {
		s.Tags = []model.Tag{tag("span.kind", kind)}
	}
	return s
}

func TestTreeTakesAnyParents(t *testing.T) {
	for name, c := range map[string]struct {
		spans []model.Span
		want  string
	}{
		"children by start": {[]model.Span{spanAt(3, 1, 20, 30, ""), spanAt(2, 1, 10, 15, ""), spanAt(1, 0, 0, 50, "")}, "1\n.2\n.3\n"},
		"unknown parent":    {[]model.Span{spanAt(1, 0, 0, 50, ""), spanAt(2, 99, 1, 2, "")}, "1\n2?\n"},
		"circle":            {[]model.Span{spanAt(1, 3, 0, 9, ""), spanAt(2, 1, 1, 9, ""), spanAt(3, 2, 2, 9, ""), spanAt(4, 2, 3, 9, "")}, "1?\n.2\n..3\n..4\n"},
		"own parent":        {[]model.Span{spanAt(5, 5, 0, 9, "")}, "5?\n"},
		"shared id": {[]model.Span{spanAt(1, 0, 0, 50, ""), spanAt(2, 1, 1, 40, "client"), spanAt(2, 1, 5, 30, "server"), spanAt(3, 2, 6, 20, "")},
			"1\n.2\n..2\n...3\n"},
		"starts before its parent": {[]model.Span{spanAt(1, 0, 10, 50, "client"), spanAt(2, 1, 5, 20, "server")}, "1\n.2~\n"},
		"start set by the program": {[]model.Span{spanAt(1, 0, 10, 50, ""), spanAt(2, 1, 5, 20, "")}, "1\n.2\n"},
		"answer after the call":    {[]model.Span{spanAt(1, 0, 0, 50, "client"), spanAt(2, 1, 20, 60, "server")}, "1\n.2~\n"},
		"call given up":            {[]model.Span{spanAt(1, 0, 0, 50, "client"), spanAt(2, 1, 20, 90, "server")}, "1\n.2\n"},
		"work left behind":         {[]model.Span{spanAt(1, 0, 0, 50, "server"), spanAt(2, 1, 20, 60, "")}, "1\n.2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, Config{})
			for _, s := range c.spans {
				put(t, v, "shop", s)
			}
			if diff := cmp.Diff(c.want, outline(t, v, id(1))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCriticalPath(t *testing.T) {
	v := newView(t, Config{})
	follower := spanAt(6, 1, 80, 99, "")
	follower.Refs = []model.Ref{{Type: model.FollowsFrom, TraceID: id(1), SpanID: 1}}
	for _, s := range []model.Span{
		spanAt(1, 0, 0, 100, ""), spanAt(2, 1, 10, 60, ""), spanAt(3, 1, 20, 40, ""), spanAt(4, 2, 30, 50, ""),
		spanAt(5, 1, 60, 70, ""), follower,
	} {
		put(t, v, "shop", s)
	}
	snap, _ := v.store.get(id(1))
	roots := snap.tree()
	markCritical(roots[0], snap.start)
	got := map[uint64]string{}
	walk(roots, func(n *node) bool {
		for _, s := range n.critical {
			got[n.SpanID] += fmt.Sprintf("%d-%d ", s.from.Milliseconds(), s.to.Milliseconds())
		}
		return true
	})
	want := map[uint64]string{1: "70-100 0-10 ", 5: "60-70 ", 2: "50-60 10-30 ", 4: "30-50 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDeepTraceIsNoProblem(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(maxSpans) {
		put(t, v, "shop", spanAt(n+1, n, int(n), maxSpans, ""))
	}
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1))+"?from=6000")
	contains(t, page, "Spans 6,001 to 6,200 of 20,000")
	contains(t, page, `id="span-`+spanHex(6001)+`"`)
}

func TestDownloadedTraceIsWhole(t *testing.T) {
	v := newView(t, Config{})
	trace := shopTrace(t, v)
	golden(t, "trace.jaeger.json", get(t, v, "/debug/traces/trace/"+traceHex(trace)+"/jaeger.json?prettyPrint=1"))
}
