package traceview_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestTraceIDsAreReadInEveryForm(t *testing.T) {
	long := model.TraceID{High: 0x4bf92f3577b34da6, Low: 0xa3ce929d0e0e4736}
	short := model.TraceID{Low: 0xa3ce929d0e0e4736}
	for in, want := range map[string]model.TraceID{
		"4bf92f3577b34da6a3ce929d0e0e4736":                                     long,
		"4BF92F3577B34DA6A3CE929D0E0E4736":                                     long,
		" 4bf92f3577b34da6a3ce929d0e0e4736\n":                                  long,
		`"4bf92f3577b34da6a3ce929d0e0e4736",`:                                  long,
		"a3ce929d0e0e4736":                                                     short,
		"0000000000000000a3ce929d0e0e4736":                                     short,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":              long,
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": long,
		"4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1":                long,
		"4bf92f3577b34da6a3ce929d0e0e4736%3A00f067aa0ba902b7%3A0%3A1":          long,
		"uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1":   long,
		"Uber-Trace-Id=a3ce929d0e0e4736:1:0:1":                                 short,
		"4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1":                  long,
		"4bf92f35-77b3-4da6-a3ce-929d0e0e4736":                                 long,
		"1f":                                                                   {Low: 0x1f},
		"trace_id=4bf92f3577b34da6a3ce929d0e0e4736":                            long,
	} {
		t.Run(in, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			put(t, v, "shop", model.Span{TraceID: want, SpanID: 1, Name: "x", Start: noon})
			put(t, v, "shop", root(7, noon, ms(1)))
			page := get(t, v, "/debug/traces/?trace="+escape(in))
			contains(t, page, `id="trace-`+traceHex(want))
			if n := strings.Count(page, `id="trace-`); n != 1 {
				t.Errorf("%d traces are listed", n)
			}
		})
	}
	for _, in := range []string{"0", "xyz", "-", ":::", "00000000000000000000000000000000", "4bf92f3577b34da6a3ce929d0e0e47361",
		"+1", "%zz", "_1", "zz-4bf92f3577b34da6"} {
		t.Run(fmt.Sprintf("%q", in), func(t *testing.T) {
			v := newView(t, traceview.Config{})
			put(t, v, "shop", root(1, noon, ms(1)))
			contains(t, get(t, v, "/debug/traces/?trace="+escape(in)), "holds no trace id.")
		})
	}
}
