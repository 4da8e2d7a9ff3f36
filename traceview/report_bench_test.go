package traceview_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/traceview"
)

// deafWriter takes events and forgets them.
type deafWriter struct{ header http.Header }

func (w deafWriter) Header() http.Header         { return w.header }
func (w deafWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w deafWriter) WriteHeader(int)             {}
func (w deafWriter) Flush()                      {}

// BenchmarkReportLive reports 50,000 spans a second, in traces of ten, to a view without a page and to one with 64 live
// pages that filter by a tag. It measures what [View.ReportStart] and [View.Report] take, and fails if a span
// is lost.
func BenchmarkReportLive(b *testing.B) {
	for _, pages := range []int{0, traceview.MaxStreams} {
		b.Run(fmt.Sprint("pages=", pages), func(b *testing.B) {
			v := traceview.New(traceview.Config{})
			defer v.Close()
			tracer, closer := jaeger.NewTracer("bench", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
			defer closer.Close()
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan bool, pages)
			for range pages {
				r, _ := http.NewRequestWithContext(ctx, "GET", "http://localhost/debug/traces/events?q=n%3E5+route%3D%2Fx", nil)
				r.RemoteAddr, r.RequestURI = "127.0.0.1:1", r.URL.RequestURI()
				go func() {
					v.ServeHTTP(deafWriter{http.Header{}}, r)
					done <- true
				}()
			}
			var took, startTook time.Duration
			start := time.Now()
			var root opentracing.Span
			b.ResetTimer()
			for i := range b.N {
				if i%500 == 0 { // 500 spans in each hundredth of a second
					if wait := time.Until(start.Add(time.Duration(i) * 20 * time.Microsecond)); wait > 0 {
						<-time.After(wait)
					}
				}
				opts := []opentracing.StartSpanOption{opentracing.Tags{"n": i % 10, "route": "/x", "http.status_code": 200}}
				if i%10 != 0 {
					opts = append(opts, opentracing.ChildOf(root.Context()))
				}
				span := tracer.StartSpan("op", opts...)
				if i%10 == 0 {
					root = span
				}
				sc := span.Context().(jaeger.SpanContext)
				before := time.Now()
				v.ReportStart("op", sc, before)
				startTook += time.Since(before)
				span.Finish()
				before = time.Now()
				v.Report(span.(*jaeger.Span))
				took += time.Since(before)
			}
			b.StopTimer()
			b.ReportMetric(float64(took)/float64(b.N), "ns/report")
			b.ReportMetric(float64(startTook)/float64(b.N), "ns/start")
			b.ReportMetric(float64(traceview.CountsOf(v).Lost), "lost")
			cancel()
			for range pages {
				<-done
			}
			if n := traceview.CountsOf(v).Lost; n > 0 {
				b.Errorf("%d of %d spans met a full queue", n, b.N)
			}
		})
	}
}

// BenchmarkReportStart is what a view costs when a span starts, and when its end is stored.
func BenchmarkReportStart(b *testing.B) {
	for _, open := range []int{0, traceview.MaxOpen} {
		b.Run(fmt.Sprint("open=", open), func(b *testing.B) {
			v := traceview.New(traceview.Config{})
			at := time.Now()
			context := func(id uint64) jaeger.SpanContext {
				return jaeger.NewSpanContext(jaeger.TraceID{Low: id}, jaeger.SpanID(id), 0, true, nil)
			}
			for i := range open {
				v.ReportStart("open", context(uint64(i+1)), at)
			}
			var contexts [256]jaeger.SpanContext
			for i := range contexts {
				contexts[i] = context(1<<20 + uint64(i)*0x9e3779b97f4a7c15)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sc := &contexts[i%len(contexts)]
				v.ReportStart("GET /", *sc, at)
				traceview.EndOpen(v, sc)
			}
		})
	}
}

// BenchmarkTracePage is the page of a trace of 5,000 spans.
func BenchmarkTracePage(b *testing.B) {
	v := traceview.New(traceview.Config{})
	for n := range uint64(5000) {
		s := root(n+1, noon.Add(time.Duration(n)*time.Millisecond), time.Millisecond, tag("k", "v"))
		s.TraceID, s.ParentID, s.Name = id(1), (n+19)/20, fmt.Sprint("work ", n)
		put(b, v, "shop", s)
	}
	b.ReportAllocs()
	for b.Loop() {
		call(v, "GET", "/debug/traces/trace/"+traceHex(id(1)), nil)
	}
}
