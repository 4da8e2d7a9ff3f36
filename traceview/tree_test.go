package traceview_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// shownSpan is a span in the data of the page of a trace.
type shownSpan struct {
	id, up, flags int // up is how many rows further up its parent is
	critical      []int64
	logs          []int64
	shift         time.Duration
}

// The flags of a span in the data of the page.
const (
	orphanFlag = 4
	skewFlag   = 8
)

func (s *shownSpan) UnmarshalJSON(b []byte) error {
	var hex string
	var service, name, start, duration int
	row := []any{&hex, &s.up, &service, &name, &start, &duration, &s.flags, &s.critical, &s.logs, &s.shift}
	if err := json.Unmarshal(b, &row); err != nil {
		return err
	}
	n, err := strconv.ParseUint(hex, 16, 64)
	s.id = int(n)
	return err
}

// shownSpans returns the spans of a trace in the order of its page.
func shownSpans(t *testing.T, v *traceview.View, trace model.TraceID) []shownSpan {
	t.Helper()
	_, text, _ := strings.Cut(get(t, v, "/debug/traces/trace/"+traceHex(trace)), `<script type="application/json" id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var data struct{ Rows []shownSpan }
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		t.Fatal(err)
	}
	return data.Rows
}

// outline writes a trace as its page lists it: depth and span id, "?" for a span whose parent is not here, and "~" for
// one whose clock differs from that of its parent.
func outline(t *testing.T, v *traceview.View, trace model.TraceID) string {
	t.Helper()
	var b strings.Builder
	var depths []int
	for i, s := range shownSpans(t, v, trace) {
		depth := 0
		if s.up > 0 {
			depth = depths[i-s.up] + 1
		}
		depths = append(depths, depth)
		fmt.Fprintf(&b, "%s%d", strings.Repeat(".", depth), s.id)
		if s.flags&orphanFlag != 0 {
			b.WriteString("?")
		}
		if s.flags&skewFlag != 0 {
			b.WriteString("~")
		}
		b.WriteString("\n")
	}
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
			v := newView(t, traceview.Config{})
			for _, s := range c.spans {
				put(t, v, "shop", s)
			}
			if diff := cmp.Diff(c.want, outline(t, v, id(1))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTheCriticalPathLeadsThroughTheSpansThatOthersWaitFor(t *testing.T) {
	v := newView(t, traceview.Config{})
	follower := spanAt(6, 1, 80, 99, "")
	follower.Refs = []model.Ref{{Type: model.FollowsFrom, TraceID: id(1), SpanID: 1}}
	for _, s := range []model.Span{
		spanAt(1, 0, 0, 100, ""), spanAt(2, 1, 10, 60, ""), spanAt(3, 1, 20, 40, ""), spanAt(4, 2, 30, 50, ""),
		spanAt(5, 1, 60, 70, ""), follower,
	} {
		put(t, v, "shop", s)
	}
	got := map[int]string{}
	for _, shown := range shownSpans(t, v, id(1)) {
		for part := range slices.Chunk(shown.critical, 2) {
			from, length := time.Duration(part[0]).Milliseconds(), time.Duration(part[1]).Milliseconds()
			got[shown.id] += fmt.Sprintf("%d-%d ", from, from+length)
		}
	}
	want := map[int]string{1: "70-100 0-10 ", 5: "60-70 ", 2: "50-60 10-30 ", 4: "30-50 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestADeepTraceIsShownPageByPage(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxSpans) {
		put(t, v, "shop", spanAt(n+1, n, int(n), traceview.MaxSpans, ""))
	}
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1))+"?from=6000")
	contains(t, page, "Spans 6,001 to 6,200 of 20,000")
	contains(t, page, `id="span-`+spanHex(6001)+`"`)
}

func TestDownloadedTraceIsWhole(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := shopTrace(t, v)
	golden(t, "trace.jaeger.json", get(t, v, "/debug/traces/trace/"+traceHex(trace)+"/jaeger.json?prettyPrint=1"))
}
