package traceview_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// The traces a to e, from the oldest to the newest, differ in what the list is sorted by.
func sortable(t *testing.T) *traceview.View {
	v := newView(t, traceview.Config{})
	for i, c := range []struct {
		took, spans, bad int
	}{{50, 1, 0}, {10, 4, 4}, {50, 4, 1}, {90, 2, 0}, {1, 1, 1}} {
		for k := range c.spans {
			s := root(uint64(i+1), noon.Add(time.Duration(i)*time.Second), ms(c.took))
			s.Name, s.SpanID = "GET /"+string(rune('a'+i)), uint64(10*i+k+1)
			if k > 0 {
				s.ParentID = uint64(10*i + 1)
			}
			if k < c.bad {
				s.Tags = []model.Tag{failed}
			}
			put(t, v, "shop", s)
		}
	}
	return v
}

var rowName = regexp.MustCompile(`<tr class="trace[^>]*><td class="name"><a [^>]*><span class="svc">shop</span> <span class="op">GET /(.)<`)

func namesOfRows(html string) (names string) {
	for _, m := range rowName.FindAllStringSubmatch(html, -1) {
		names += m[1]
	}
	return names
}

func TestListIsSorted(t *testing.T) {
	v := sortable(t)
	for query, want := range map[string]string{
		"":                      "edcba",
		"sort=duration":         "dcabe",
		"sort=spans":            "cbdea",
		"sort=errors":           "becda",
		"sort=nonsense":         "edcba",
		"sort=duration&limit=2": "dc",
		"sort=errors&errors=1":  "bec",
		"sort=spans&q=dur>20ms": "cda",
	} {
		t.Run("?"+query, func(t *testing.T) {
			query = strings.ReplaceAll(query, ">", "%3E")
			page := get(t, v, "/debug/traces/?"+query)
			if got := namesOfRows(page); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if strings.Contains(query, "limit") {
				contains(t, page, "5 traces, first 2 shown")
			}
		})
	}
}

func TestLiveRowsAreSorted(t *testing.T) {
	v := sortable(t)
	_, up := listen(t, serve(t, v).URL+"/debug/traces/events?since=0&sort=duration&limit=3").next()
	got := ""
	for _, row := range up.Rows {
		got += namesOfRows(row.HTML)
	}
	if got != "dca" {
		t.Errorf("%s, want the three longest", got)
	}
}

func TestHintsAreBounded(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(3 * traceview.MaxHints) {
		s := root(n+1, noon, ms(1))
		s.Name = "GET /" + strings.Repeat("x", int(n))
		put(t, v, "shop", s)
	}
	s := root(9999, noon, ms(1))
	s.Name = "GET /" + strings.Repeat("x", 3*traceview.MaxHints-1)
	put(t, v, "shop", s) // the busiest
	page := get(t, v, "/debug/traces/")
	if got := strings.Count(page, `<option value="operation=`); got != traceview.MaxHints {
		t.Errorf("%d operations are offered, want %d", got, traceview.MaxHints)
	}
	contains(t, page, s.Name+`&#34;">`)
}
