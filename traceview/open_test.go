package traceview_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/traceview"
)

func startTracer(t testing.TB, view *traceview.View, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Service, cfg.Local, cfg.Reporters = "shop", true, []jaeger.Reporter{view}
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		_ = tracer.Close()
	})
	return tracer
}

// look returns the list page, or another one below the view.
func look(t testing.TB, view http.Handler, path string) string {
	t.Helper()
	r := httptest.NewRequest("GET", "/debug/traces/"+path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:8080"
	w := httptest.NewRecorder()
	view.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

var openSection = regexp.MustCompile(`(?s)<section class="open" id="open"( hidden)?>(.*?)</section>`)

// inFlight returns the part of the list page that shows what is in flight, "" if it is hidden.
func inFlight(t testing.TB, view http.Handler, path string) string {
	t.Helper()
	m := openSection.FindStringSubmatch(look(t, view, path))
	if m == nil {
		t.Fatal("the page has no place for what is in flight")
	}
	if m[1] != "" {
		return ""
	}
	return m[2]
}

func TestAHangingRequestIsInFlight(t *testing.T) {
	view := traceview.New(traceview.Config{})
	tracer := startTracer(t, view, tracerinit.Config{})
	entered, leave := make(chan bool), make(chan bool)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(_ http.ResponseWriter, r *http.Request) {
		span, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "SELECT orders")
		entered <- true
		<-leave
		span.Finish()
	})
	server := httptest.NewServer(httpmw.Middleware(tracer, httpmw.WithMux(mux))(mux))
	t.Cleanup(server.Close)
	var wg sync.WaitGroup
	wg.Go(func() {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/orders/7", nil)
		req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") // its caller is elsewhere
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
	})
	<-entered
	got := inFlight(t, view, "")
	for _, want := range []string{"1 in flight", "GET /orders/{id}", "in SELECT orders for "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if got = inFlight(t, view, "?service=stock"); got != "" {
		t.Errorf("a filtered list shows %s", got)
	}
	leave <- true
	wg.Wait()
	server.Close() // waits for the span's end
	if got = inFlight(t, view, ""); got != "" {
		t.Errorf("after its end: %s", got)
	}
}

func TestWhatIsInFlightSaysHowLongAndHowUnusual(t *testing.T) {
	view := traceview.New(traceview.Config{})
	tracer := startTracer(t, view, tracerinit.Config{})
	for range 20 {
		span := tracer.StartSpan("GET /")
		span.FinishWithOptions(opentracing.FinishOptions{FinishTime: time.Now().Add(10 * time.Millisecond)})
	}
	span := tracer.StartSpan("GET /", opentracing.StartTime(time.Now().Add(-90*time.Second)))
	child := tracer.StartSpan("charge", opentracing.ChildOf(span.Context()))
	other := tracer.StartSpan("<b>mail\u202e", opentracing.ChildOf(span.Context()))
	tracer.StartSpan("done", opentracing.ChildOf(span.Context())).Finish()
	got := inFlight(t, view, "")
	for _, want := range []string{">1 m 30 s</b>", "in charge for ", " and 1 more", "usually 10", `class="slow"`, `href="./trace/`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	child.Finish()
	if got = inFlight(t, view, ""); !strings.Contains(got, "in &lt;b&gt;mail\ufffd for ") {
		t.Errorf("the other child is missing in %s", got)
	}
	other.Finish()
	span.Finish()
}

func TestWhatIsNotInFlight(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, view *traceview.View) opentracing.Span{
		"unsampled": func(t *testing.T, view *traceview.View) opentracing.Span {
			return startTracer(t, view, tracerinit.Config{Sampler: tracerinit.Never()}).StartSpan("x")
		},
		"disabled": func(t *testing.T, view *traceview.View) opentracing.Span {
			return startTracer(t, view, tracerinit.Config{Disabled: true}).StartSpan("x")
		},
		"given up": func(t *testing.T, view *traceview.View) opentracing.Span {
			span := startTracer(t, view, tracerinit.Config{}).StartSpan("x")
			ext.SamplingPriority.Set(span, 0)
			return span
		},
		"shut down": func(t *testing.T, view *traceview.View) opentracing.Span {
			tracer := startTracer(t, view, tracerinit.Config{})
			span := tracer.StartSpan("x")
			_ = tracer.Close()
			return span
		},
		"a day old": func(t *testing.T, view *traceview.View) opentracing.Span {
			return startTracer(t, view, tracerinit.Config{}).StartSpan("x", opentracing.StartTime(time.Now().Add(-25*time.Hour)))
		},
		"finished twice": func(t *testing.T, view *traceview.View) opentracing.Span {
			span := startTracer(t, view, tracerinit.Config{}).StartSpan("x")
			span.Finish()
			span.Finish()
			return span
		},
	} {
		t.Run(name, func(t *testing.T) {
			view := traceview.New(traceview.Config{})
			span := start(t, view)
			if got := inFlight(t, view, ""); got != "" {
				t.Errorf("in flight: %s", got)
			}
			span.Finish()
		})
	}
}

func TestAbandonedSpansStayBounded(t *testing.T) {
	view := traceview.New(traceview.Config{})
	tracer := startTracer(t, view, tracerinit.Config{})
	root := tracer.StartSpan("first")
	long := strings.Repeat("x", 10_000)
	for i := range 10_000 {
		defer tracer.StartSpan(long[:1+i]).Finish()
	}
	latest := tracer.StartSpan("latest")
	page := look(t, view, "")
	shown := regexp.MustCompile(`>([0-9,]+) in flight<`).FindStringSubmatch(page)
	lost := regexp.MustCompile(`([0-9,]+) spans in flight gave way`).FindStringSubmatch(page)
	if shown == nil || lost == nil {
		t.Fatalf("no counts in %s", page)
	}
	var a, b int
	fmt.Sscan(strings.ReplaceAll(shown[1], ",", ""), &a)
	fmt.Sscan(strings.ReplaceAll(lost[1], ",", ""), &b)
	if a > 4096 || a < 3500 || a+b != 10_002 {
		t.Errorf("%d are in flight and %d gave way, want at most 4,096 and 10,002 together", a, b)
	}
	if n := strings.Count(page, `<li id="open-`); n > 10 {
		t.Errorf("%d rows", n)
	}
	root.Finish() // is forgotten
	latest.Finish()
	if after := look(t, view, ""); !strings.Contains(after, fmt.Sprintf("%s in flight<", comma(a-1))) {
		t.Errorf("the end of the latest is not seen")
	}
}

func comma(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

func TestSpansInFlightFromManyGoroutines(t *testing.T) {
	view := traceview.New(traceview.Config{})
	tracer := startTracer(t, view, tracerinit.Config{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				span := tracer.StartSpan("x")
				child := tracer.StartSpan("y", opentracing.ChildOf(span.Context()))
				child.Finish()
				span.Finish()
			}
		})
	}
	for range 20 {
		inFlight(t, view, "")
	}
	wg.Wait()
	if got := inFlight(t, view, ""); got != "" {
		t.Errorf("after all ended: %s", got)
	}
}

func TestSpansInFlightAddNoAllocs(t *testing.T) {
	view := traceview.New(traceview.Config{})
	var contexts [1000]jaeger.SpanContext
	for i := range contexts {
		contexts[i] = jaeger.NewSpanContext(jaeger.TraceID{Low: uint64(i + 1)}, jaeger.SpanID(i+1), 0, true, nil)
	}
	now := time.Now()
	allocs := testing.AllocsPerRun(10, func() { // and once before, which makes the table
		for _, sc := range contexts {
			view.ReportStart("GET /", sc, now)
		}
	})
	if allocs > 10 { // the table is laid out anew now and then
		t.Errorf("%v allocations for the starts of %d spans", allocs, len(contexts))
	}
}
