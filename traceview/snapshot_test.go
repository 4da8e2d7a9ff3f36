package traceview_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

var servicesOfPage = regexp.MustCompile(`"services":(\[\[.*?\]\])`)

// TestServicesOfATrace counts few and many services, which are found in different ways.
func TestServicesOfATrace(t *testing.T) {
	for _, n := range []int{1, 8, 9, traceview.Colors} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			v := newView(t, traceview.Config{})
			next := uint64(0)
			for i := range n {
				for range i + 1 { // the last service has most spans
					next++
					put(t, v, fmt.Sprintf("service %02d", i), spanAt(next, next-1, int(next), 2000, "server"))
				}
			}
			var answer struct {
				Summaries []struct {
					Services []struct {
						Name      string
						SpanCount int
					}
				}
			}
			search := get(t, v, "/debug/traces/api/v3/trace-summaries?query.service_name=service+00")
			if err := json.Unmarshal([]byte(search), &answer); err != nil || len(answer.Summaries) != 1 {
				t.Fatalf("%v %s", err, search)
			}
			for i, svc := range answer.Summaries[0].Services {
				if want := n - i; svc.SpanCount != want || svc.Name != fmt.Sprintf("service %02d", want-1) {
					t.Errorf("%d is %+v, want %d spans", i, svc, want)
				}
			}
			var colors [][2]any
			page := get(t, v, "/debug/traces/trace/"+traceHex(id(1)))
			found := servicesOfPage.FindStringSubmatch(page)
			if err := json.Unmarshal([]byte(found[1]), &colors); err != nil || len(colors) != n {
				t.Fatalf("%v %s", err, found)
			}
			seen := map[any]bool{}
			for _, c := range colors {
				if seen[c[1]] {
					t.Errorf("%s has the colour of another: %v", c[0], c[1])
				}
				seen[c[1]] = true
				contains(t, page, fmt.Sprintf(`<span class="chip c%v">%s <b>`, c[1], c[0])) // in the legend
			}
		})
	}
}
