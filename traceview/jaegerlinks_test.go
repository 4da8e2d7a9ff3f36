package traceview_test

import (
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

// TestLinksToJaegerUI follows addresses that Jaeger's UI has on the port that spanview takes over.
func TestLinksToJaegerUI(t *testing.T) {
	v := newView(t, traceview.Config{})
	for from, to := range map[string]string{
		"/search": "./?",
		"/search?end=1700000000000000&limit=20&lookback=1h&maxDuration&minDuration&service=shop":         "./?service=shop",
		"/search?service=shop&operation=GET%20%2F&minDuration=20ms":                                      "./?min=20ms&operation=GET+%2F&service=shop",
		"/search?service=shop&operation=all&tags=%7B%22error%22%3A%22true%22%2C%22a%22%3A%22b%20c%22%7D": "./?service=shop&tag=a%3D%22b+c%22+error%3Dtrue",
		"/search?service=shop&tag=http.status_code%3A500":                                                "./?service=shop&tag=http.status_code%3D500",
		"/search?service=shop&tags=%5B%5D":                                                               "./?service=shop",
		"/search?traceID=1234":                                                                           "./?q=1234",
	} {
		t.Run(from, func(t *testing.T) {
			w := call(v, "GET", "/debug/traces"+from, nil)
			if w.Code != 303 || w.Header().Get("Location") != to {
				t.Errorf("%d %q, want %q", w.Code, w.Header().Get("Location"), to)
			}
		})
	}
	trace := traceHex(shopTrace(t, v))
	contains(t, get(t, v, "/debug/traces/trace/"+trace+"?uiFind=0000000000000002"), trace)
	contains(t, get(t, v, "/debug/traces/?service=shop&tag=error%3Dtrue"), trace)
}
