package browser_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// TestRequestsInFlight watches a request that hangs, from its start to its end.
func TestRequestsInFlight(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 30)
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop", Local: true, Reporters: []jaeger.Reporter{m.view.Load()}})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	p := open(t, m.URL)
	p.goTo("")
	p.until("the list", rows+`.length === 30 && document.getElementById("live").textContent === "live" && document.getElementById("open").hidden`)

	hung, release := make(chan bool), make(chan bool)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		span := tracer.StartSpan("POST /orders")
		child := tracer.StartSpan("POST payments", opentracing.ChildOf(span.Context()))
		hung <- true
		<-release
		child.Finish()
		span.Finish()
	})
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { handler.ServeHTTP(nil, nil) })
	<-hung
	const inFlight = `[...document.querySelectorAll("#open:not([hidden]) li")]`
	p.until("the request in flight", inFlight+`.length === 1 && `+inFlight+`[0].textContent.includes("POST /orders") && `+inFlight+`[0].textContent.includes("in POST payments")`)
	p.until("its age", inFlight+`[0].querySelector("b").textContent === "2 s"`)
	p.until("its age growing", inFlight+`[0].querySelector("b").textContent === "3 s"`)
	p.shoot("inflight")

	p.moveTo("#traces tbody tr")
	at := eval[float64](p, rows+`[0].getBoundingClientRect().top`)
	release <- true
	p.until("the row marked as gone", inFlight+`.length === 1 && `+inFlight+`[0].classList.contains("gone") && document.getElementById("waiting").textContent === "1 new"`)
	if now := eval[float64](p, rows+`[0].getBoundingClientRect().top`); now != at {
		t.Errorf("the rows under the pointer moved from %v to %v", at, now)
	}
	p.moveTo(".brand")
	p.until("the trace in its place", inFlight+`.length === 0 && `+rows+`.length === 31 && `+rows+`[0].textContent.includes("POST /orders")`)

	for i := range 20 {
		span := tracer.StartSpan(fmt.Sprint("GET /", i))
		defer span.Finish()
	}
	p.goTo("")
	p.until("ten of twenty", inFlight+`.length === 10 && document.querySelector("#open").textContent.includes("and 10 more")`)
	for _, width := range []int64{1280, 390} {
		for _, dark := range []bool{false, true} {
			p.look(width, 900, dark)
			p.until("the rows at this width", `document.documentElement.scrollWidth <= innerWidth`)
			p.shootScreen(fmt.Sprintf("inflight-%d-%v", width, dark))
		}
	}
}
