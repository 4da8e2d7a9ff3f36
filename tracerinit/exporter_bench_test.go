package tracerinit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/tracerinit"
)

// BenchmarkDelivery makes sampled spans with six tags as fast as two goroutines can, until a local OTLP/HTTP sink
// has them all.
func BenchmarkDelivery(b *testing.B) {
	for name, q := range map[string]tracerinit.Queue{
		"block":   {Overflow: tracerinit.Block},
		"large":   {Size: 200_000},
		"default": {},
	} {
		b.Run(name, func(b *testing.B) {
			sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
			defer sink.Close()
			l := open(b, tracerinit.OTLPHTTP(sink.URL), q)
			b.ReportAllocs()
			b.ResetTimer()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var makers sync.WaitGroup
			for range 2 {
				makers.Go(func() {
					for i := range b.N / 2 {
						s := l.StartSpan("GET /items/{id}")
						s.SetTag("span.kind", "server").SetTag("component", "net/http").SetTag("http.method", "GET")
						s.SetTag("http.url", "/items/42").SetTag("http.status_code", 200).SetTag("n", strconv.Itoa(i))
						s.Finish()
					}
				})
			}
			makers.Wait()
			if err := l.Flush(within(b, time.Minute)); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			s := l.Stats()
			if s.Delivered+s.Dropped.QueueFull != s.Reported || (name != "default" && s.Delivered != s.Reported) {
				b.Errorf("%+v", s)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(s.Delivered)/b.Elapsed().Seconds(), "delivered/s")
			b.ReportMetric(100*float64(s.Dropped.QueueFull)/float64(max(s.Reported, 1)), "%lost")
			b.ReportMetric(float64(after.Sys)/(1<<20), "MiB")
		})
	}
}
