package traceview_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestServicesPageOfManyServices(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(20_000) {
		s := root(n+1, noon, ms(1))
		put(t, v, fmt.Sprint("service-", n), s)
	}
	if n := strings.Count(get(t, v, "/debug/traces/services"), `<a href="./?service=`); n == 0 || n > traceview.MaxServices {
		t.Errorf("%d services", n)
	}
	for _, path := range []string{"services", "operations", "?limit=2000", ""} {
		t.Run(cmp.Or(path, "list"), func(t *testing.T) {
			if size := len(get(t, v, "/debug/traces/"+path)); size > 2<<20 {
				t.Errorf("%q has %d bytes", path, size)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/services"), "too many services for one picture")
	contains(t, get(t, v, "/debug/traces/services?focus=service-7&depth=9"), `class="box`)
	check(t, v)
}

func TestServicesColoursByShareOfErrors(t *testing.T) {
	v := newView(t, traceview.Config{})
	n := uint64(0)
	for callee, bad := range map[string]int{"good": 0, "some": 4, "bad": 5} {
		for k := range 100 {
			n += 2
			put(t, v, "shop", model.Span{TraceID: id(n), SpanID: n, Name: "call", Start: noon, Duration: ms(2)})
			s := model.Span{TraceID: id(n), SpanID: n + 1, ParentID: n, Name: "answer", Start: noon, Duration: ms(1)}
			if k < bad {
				s.Tags = []model.Tag{failed}
			}
			put(t, v, callee, s)
		}
	}
	page := get(t, v, "/debug/traces/services")
	for class, want := range map[string]string{
		"arrow ": "calls good 100 times, 0 % failed", "arrow some": "calls some 100 times, 4.0 % failed", "arrow failed": "calls bad 100 times, 5.0 % failed",
	} {
		contains(t, page, `<g class="`+class+`"><title>shop `+want)
	}
}

func TestCallGraphHoldsCirclesAndManyServices(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(30) {
		from, to := fmt.Sprint("s", n%6), fmt.Sprint("s", (n+1)%6)
		put(t, v, from, model.Span{TraceID: id(n + 1), SpanID: 1, Name: "a", Start: noon})
		put(t, v, to, model.Span{TraceID: id(n + 1), SpanID: 2, ParentID: 1, Name: "b", Start: noon})
	}
	page := get(t, v, "/debug/traces/services")
	if n := strings.Count(page, `class="arrow`); n != 6 {
		t.Errorf("%d arrows, want 6", n)
	}
	for n := range uint64(100) {
		put(t, v, fmt.Sprint("many", n), root(n+100, noon, ms(1)))
	}
	if page = get(t, v, "/debug/traces/services"); strings.Contains(page, `id="graph"`) || !strings.Contains(page, "many99") {
		t.Error("with too many services there should be the tables alone")
	}
}

func TestServicesNearOne(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(30) { // a chain
		put(t, v, fmt.Sprint("s", n), model.Span{TraceID: id(1), SpanID: n + 1, ParentID: n, Name: "a", Start: noon})
	}
	for depth, want := range map[string]int{"1": 3, "2": 5, "3": 7, "x": 5} {
		t.Run("depth "+depth, func(t *testing.T) {
			page := get(t, v, "/debug/traces/services?focus=s10&depth="+depth)
			if n := strings.Count(page, `class="box `); n != want {
				t.Errorf("depth %s: %d boxes, want %d", depth, n, want)
			}
		})
	}
	if n := strings.Count(get(t, v, "/debug/traces/services?focus=nobody"), `class="box `); n != 30 {
		t.Errorf("near a service that is not here: %d boxes", n)
	}
}

func TestCallsCountWhicheverSpanComesFirst(t *testing.T) {
	v := newView(t, traceview.Config{})
	child := model.Span{TraceID: id(1), SpanID: 2, ParentID: 1, Name: "b", Start: noon, Tags: []model.Tag{failed}}
	put(t, v, "stock", child)
	put(t, v, "shop", root(1, noon, ms(1)))
	put(t, v, "stock", model.Span{TraceID: id(1), SpanID: 3, ParentID: 1, Name: "c", Start: noon})
	put(t, v, "stock", model.Span{TraceID: id(1), SpanID: 4, ParentID: 3, Name: "d", Start: noon})
	contains(t, get(t, v, "/debug/traces/services"), "<title>shop calls stock 2 times, 50 % failed")
	contains(t, get(t, v, "/debug/traces/api/dependencies"), `{"parent":"shop","child":"stock","callCount":2}`)
}
