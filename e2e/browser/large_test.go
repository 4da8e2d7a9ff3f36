package browser_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/e2e/internal/shop"
)

const (
	largeSpans = 5000
	usable     = 400 * time.Millisecond // from the click on a link to a large trace until its rows are there
)

// TestALargeTraceIsShownSoon opens a trace of 5,000 spans.
func TestALargeTraceIsShownSoon(t *testing.T) {
	chromium(t)
	front := shop.StartStorefront(t, nil)
	id := [16]byte{15: 1}
	post(t, front, id, largeSpans, "work")
	p := open(t, front.URL)
	p.goTo("")
	p.until("the list", rows+`.length === 1`)

	p.opens(fmt.Sprintf("trace/%x", id), `document.querySelectorAll("#spans .span").length > 1`, usable)
	t.Logf("5,000 spans in %d rows", eval[int](p, `document.querySelectorAll("#spans .span").length`))
	if text := eval[string](p, `document.querySelector(".facts").textContent`); !strings.Contains(strings.ReplaceAll(text, ",", ""), "5000") {
		t.Errorf("the page says %q", text)
	}
	p.shootScreen("large")

	begin := time.Now()
	p.run("fold the root", chromedp.Click(chromedp.CSS(`#spans .span .fold`)))
	p.until("the root folded", `document.querySelectorAll("#spans .span").length === 1`)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("folding 5,000 spans took %v", took)
	}
}

// TestHostileNamesStayText shows that nothing in a span becomes part of the page.
func TestHostileNamesStayText(t *testing.T) {
	chromium(t)
	front := shop.StartStorefront(t, nil)
	id := [16]byte{15: 2}
	post(t, front, id, 3, `</span><script>window.pwned=1</script><img src=x onerror="window.pwned=1">"'`)
	p := open(t, front.URL)
	for _, path := range []string{"", fmt.Sprintf("trace/%x", id), fmt.Sprintf("trace/%x?span=%016x", id, 1), "operations", "services"} {
		p.subtest(cmp.Or(path, "list"), func(t *testing.T) {
			p.goTo(path)
			p.until("the page", `true`)
			if eval[int](p, `window.pwned || document.querySelectorAll("main img, main script:not(#data, [src$='static/trace.js'], [src$='static/beside.js'])").length`) != 0 {
				t.Errorf("%s: a name became part of the page", path)
			}
		})
	}
	p.shoot("hostile")
}

// TestLongNamesPushNothingOffTheScreen shows that no name pushes anything off the screen.
func TestLongNamesPushNothingOffTheScreen(t *testing.T) {
	chromium(t)
	front := shop.StartStorefront(t, nil)
	id := [16]byte{15: 3}
	post(t, front, id, 3, strings.Repeat("name", 100))
	p := open(t, front.URL)
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			p.look(width, 900, false)
			for _, path := range []string{"", fmt.Sprintf("trace/%x?span=%016x", id, 3), "operations", "services"} {
				p.subtest(cmp.Or(path, "list"), func(t *testing.T) {
					p.goTo(path)
					p.until("the page", `true`)
					if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("%q is %d pixels wider than a screen of %d", path, over, width)
					}
				})
			}
			p.goTo(fmt.Sprintf("trace/%x", id))
			p.until("the trace", `(document.getElementById("waterfall").scrollIntoView(), document.querySelectorAll("#spans .span").length === 3)`)
			if !eval[bool](p, `[...document.querySelectorAll("#spans .badge.err, #spans .dot")].every(mark =>
			mark.getBoundingClientRect().right <= mark.closest(".name").getBoundingClientRect().right)`) {
				t.Errorf("on a screen of %d pixels a name hides that its span failed", width)
			}
			p.shoot(fmt.Sprint("long-", width))
		})
	}
}

// post sends a trace of n spans, four deep, to storefront's page. The last one failed.
func post(t *testing.T, front *shop.Storefront, trace [16]byte, n int, name string) {
	t.Helper()
	start := uint64(time.Now().Add(-time.Minute).UnixNano())
	spans := make([]*tracepb.Span, n)
	for i := range spans {
		spans[i] = &tracepb.Span{
			TraceId: trace[:], SpanId: spanID(i + 1), Name: fmt.Sprintf("%s %d", name, i), Kind: tracepb.Span_SPAN_KIND_INTERNAL,
			StartTimeUnixNano: start + uint64(i)*1e6, EndTimeUnixNano: start + uint64(i)*1e6 + 9e5,
			Attributes: []*common.KeyValue{{Key: name, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: name}}}},
			Events:     []*tracepb.Span_Event{{TimeUnixNano: start + uint64(i)*1e6, Name: name}},
		}
		if i > 0 {
			spans[i].ParentSpanId = spanID(1 + (i-1)/20)
		}
	}
	spans[0].EndTimeUnixNano = start + uint64(n)*1e6
	spans[n-1].Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	body, err := proto.Marshal(&coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{{
			Key: "service.name", Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: name}},
		}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(front.URL+"/debug/traces/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	front.View.Trace(t, fmt.Sprintf("%x", trace), n)
}

func spanID(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
