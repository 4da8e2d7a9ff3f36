package traceview_test

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

var rewrite = flag.Bool("update", false, "rewrite the golden files")

// noon is the time of every test with a clock that stands still.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func newView(t testing.TB, cfg traceview.Config) *traceview.View {
	t.Helper()
	v := traceview.New(cfg)
	traceview.StandStill(v, noon)
	t.Cleanup(v.Close)
	return v
}

// put stores a span as if it had come in, and reports whether it is kept.
func put(t testing.TB, v *traceview.View, service string, s model.Span) bool {
	t.Helper()
	return traceview.Put(v, model.Process{Service: service}, s, 0)
}

func id(n uint64) model.TraceID { return model.TraceID{High: 0xabc, Low: n} }

func escape(s string) string { return url.QueryEscape(s) }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func tag(key, value string) model.Tag { return model.Tag{Key: key, Value: model.String(value)} }

var failed = model.Tag{Key: "error", Value: model.Bool(true)}

// call sends a request of a loopback caller and returns the answer.
func call(v http.Handler, method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Host = "localhost:8080"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	return w
}

func get(t testing.TB, v http.Handler, target string) string {
	t.Helper()
	w := call(v, "GET", target, nil)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d\n%s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

func golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), rewrite it with -update if that is right:\n%s", file, diff)
	}
}

// shopTrace is a trace of three services, with an error, a panic, a reference and a clock that is off.
func shopTrace(t testing.TB, v *traceview.View) model.TraceID {
	trace := id(0x51)
	at := func(n int) time.Time { return noon.Add(-3*time.Second + ms(n)) }
	put(t, v, "shop", model.Span{TraceID: trace, SpanID: 1, Flags: 1, Name: "POST /orders", Start: at(0), Duration: ms(100),
		Tags: []model.Tag{tag("span.kind", "server"), {Key: "http.status_code", Value: model.Int(500)}, failed, tag("error.type", "panic")},
		Logs: []model.Log{{Time: at(90), Fields: []model.Tag{tag("event", "error"), tag("error.kind", "panic"),
			tag("message", "boom"), tag("stack", "main.f()\n\tf.go:7")}}}})
	put(t, v, "shop", model.Span{TraceID: trace, SpanID: 2, ParentID: 1, Flags: 1, Name: "GetStock", Start: at(10), Duration: ms(40),
		Tags: []model.Tag{tag("span.kind", "client")}})
	put(t, v, "stock", model.Span{TraceID: trace, SpanID: 3, ParentID: 2, Flags: 1, Name: "GetStock", Start: at(8), Duration: ms(30),
		Tags: []model.Tag{tag("span.kind", "server"), {Key: "weight", Value: model.Float(1.5)}, {Key: "big", Value: model.Int(1 << 60)},
			{Key: "raw", Value: model.Bytes([]byte{1, 2, 3})}}})
	put(t, v, "mail", model.Span{TraceID: trace, SpanID: 4, ParentID: 1, Flags: 1, Name: "send", Start: at(60), Duration: ms(200),
		Refs: []model.Ref{{Type: model.FollowsFrom, TraceID: trace, SpanID: 1}, {TraceID: id(0x99), SpanID: 7}}})
	return trace
}

func contains(t testing.TB, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is missing in:\n%.3000s", want, text)
	}
}

var (
	spanHex  = traceview.SpanHex
	traceHex = traceview.TraceHex
)
