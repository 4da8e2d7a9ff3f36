package traceview_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestOperationsAreSorted(t *testing.T) {
	v := newView(t, traceview.Config{})
	n := uint64(0)
	for _, op := range []struct {
		name             string
		count, bad, took int
	}{{"b", 5, 0, 30}, {"a", 2, 2, 20}, {"c", 9, 1, 10}} {
		for k := range op.count {
			n++
			s := root(n, noon, ms(op.took))
			s.Name = "GET /" + op.name
			if k < op.bad {
				s.Tags = []model.Tag{failed}
			}
			put(t, v, "shop", s)
		}
	}
	for by, want := range map[string]string{
		"": "cba", "rate": "cba", "name": "abc", "errors": "acb", "p50": "bac", "p90": "bac", "p99": "bac", "nonsense": "cba",
	} {
		t.Run("by "+by, func(t *testing.T) {
			page := get(t, v, "/debug/traces/operations?sort="+by)
			got := ""
			for _, row := range strings.Split(page, `<span class="op">GET /`)[1:] {
				got += row[:1]
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestOperationsPageIsBounded(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(600) {
		s := root(n+1, noon, ms(int(n)))
		s.Name = fmt.Sprintf("GET /with/a/path/as/usual/%d", n)
		put(t, v, fmt.Sprint("service-", n%25), s)
	}
	page := get(t, v, "/debug/traces/operations")
	t.Logf("%d bytes, %d links", len(page), strings.Count(page, "<a "))
	if len(page) > 100_000 || strings.Count(page, "<a ") > 130 {
		t.Errorf("%d bytes and %d links, want at most 100 kB and 130", len(page), strings.Count(page, "<a "))
	}
	contains(t, page, "600 operations, first 100 shown")
	contains(t, page, `href="?limit=500"`)
	if rows := strings.Count(get(t, v, "/debug/traces/operations?limit=99999"), `id="op-`); rows != 600 {
		t.Errorf("%d rows without a bound", rows)
	}
	page = get(t, v, "/debug/traces/operations?name=USUAL/50&service=service-0")
	if rows := strings.Count(page, `id="op-`); rows != 2 {
		t.Errorf("%d rows have 50 in their name and are of service-0, want 2", rows)
	}
	contains(t, get(t, v, "/debug/traces/operations?name=nothing"), "No operation matches")
}

var pointOf = regexp.MustCompile(`<a href="([^"]*)" tabindex="-1"><title>[^<]*</title><circle cx="([^"]*)" cy="([^"]*)" r="4"( class="f")?/></a>`)

func TestPointsOfAnOperationOpenTheirTraces(t *testing.T) {
	const path = "/debug/traces/operations?service=shop&operation=GET+/&kind="
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxPoints + 20) {
		put(t, v, "shop", root(n+1, noon.Add(-time.Duration(n)*time.Second), ms(int(n))))
	}
	put(t, v, "shop", root(9000, noon.Add(-time.Hour), ms(5), failed)) // too long ago beside the others
	page := get(t, v, path)
	points := pointOf.FindAllStringSubmatch(page, -1)
	if len(points) != traceview.MaxPoints {
		t.Fatalf("%d points, want %d", len(points), traceview.MaxPoints)
	}
	contains(t, page, "500 spans, the latest of those that are kept")
	if link, x := points[0][1], points[0][2]; x != "99%" || !strings.HasPrefix(link, "./trace/"+traceHex(id(1))+"?span=") {
		t.Errorf("the latest is at %s and opens %s", x, link)
	}
	if last := points[len(points)-1]; last[2] != "1%" || last[3] != "5%" {
		t.Errorf("the oldest, which is the longest, is at %s, %s", last[2], last[3])
	}
	if n := strings.Count(page, "<line "); n < 3 || n > 20 {
		t.Errorf("%d lines", n)
	}
	old := newView(t, traceview.Config{})
	put(t, old, "shop", root(1, noon.Add(-time.Hour), 0, failed))
	if points := pointOf.FindAllStringSubmatch(get(t, old, path), -1); len(points) != 1 || points[0][2] != "50%" || points[0][4] == "" {
		t.Errorf("an old span that failed, alone: %q", points)
	}
}

func TestOperationFiguresOutliveTheTraces(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 10})
	for n := range uint64(100) {
		s := root(n+1, noon, ms(int(n+1)))
		if n%10 == 0 {
			s.Tags = []model.Tag{failed}
		}
		put(t, v, "shop", s)
	}
	page := get(t, v, "/debug/traces/operations?service=shop&operation=GET+/&kind=")
	for _, want := range []string{`<span class="big">100 spans</span>`, "10 % failed", "p50 50", "slowest 100 ms"} {
		contains(t, page, want)
	}
	links := regexp.MustCompile(`href="\./trace/([0-9a-f]{32})`).FindAllStringSubmatch(page, -1)
	if len(links) == 0 {
		t.Error("no sample trace is linked")
	}
	for _, m := range links {
		get(t, v, "/debug/traces/trace/"+m[1]) // each link leads somewhere
	}
}
