package bench

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/interop/grpc_testing"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

// BenchmarkScale shows how the cost of a sampled request grows with the work.
func BenchmarkScale(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("spans-per-request/%d", n), func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			scaleRequest(b, t, 15, func(r *http.Request) {
				for range n - 1 {
					s, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), t, "work")
					s.Finish()
				}
			})
		})
	}
	for _, n := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("extra-tags-per-span/%d", n), func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			scaleRequest(b, t, 15, func(r *http.Request) {
				s := opentracing.SpanFromContext(r.Context())
				for i := range n {
					s.SetTag("tag", i)
				}
			})
		})
	}
	for _, n := range []int{5, 15, 60} {
		b.Run(fmt.Sprintf("request-headers/%d", n), func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			scaleRequest(b, t, n, func(*http.Request) {})
		})
	}
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("routes/%d", n), func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			r := chi.NewRouter()
			r.Use(httpmw.Middleware(t))
			for i := range n {
				r.Get(fmt.Sprintf("/api/v%d/things/{id}", i), func(http.ResponseWriter, *http.Request) {})
			}
			r.Get("/users/{id}", func(http.ResponseWriter, *http.Request) {})
			req, w := request(nil), &discard{header: http.Header{}}
			measure(b, func() { r.ServeHTTP(w, req) })
		})
	}
}

func scaleRequest(b *testing.B, t opentracing.Tracer, headers int, work func(*http.Request)) {
	r := chi.NewRouter()
	r.Use(httpmw.Middleware(t))
	r.Get("/users/{id}", func(_ http.ResponseWriter, r *http.Request) { work(r) })
	req, w := request(nil), &discard{header: http.Header{}}
	for i := 0; len(req.Header) > headers; i++ {
		delete(req.Header, headerNames[i])
	}
	for i := 0; len(req.Header) < headers; i++ {
		req.Header.Set(fmt.Sprintf("X-More-%d", i), "value")
	}
	measure(b, func() { r.ServeHTTP(w, req) })
}

// BenchmarkConcurrent keeps so many requests open at once and reports what each holds.
func BenchmarkConcurrent(b *testing.B) {
	for _, n := range []int{1, 64, 4096} {
		b.Run(fmt.Sprintf("requests/%d", n), func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			for range b.N {
				gate, inside := make(chan struct{}), make(chan struct{}, n)
				h := httpmw.Middleware(t)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					inside <- struct{}{}
					<-gate
				}))
				before := heap()
				var wg sync.WaitGroup
				for range n {
					wg.Go(func() { h.ServeHTTP(&discard{header: http.Header{}}, request(nil)) })
				}
				for range n {
					<-inside
				}
				b.ReportMetric(float64(heap()-before)/float64(n), "heap-B/request")
				close(gate)
				wg.Wait()
			}
		})
	}
}

// BenchmarkIdleStreams opens bidi streams on both ends and reports what each holds more than an untraced one.
func BenchmarkIdleStreams(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		for _, traced := range []bool{false, true} {
			b.Run(fmt.Sprintf("streams-%d/traced=%v", n, traced), func(b *testing.B) {
				side := &rpcSide{stop: nothing}
				if traced {
					t, _ := spanloomTracer(b, true)
					side.server, side.dial = grpcmw.ServerOptions(t), grpcmw.DialOptions(t)
				}
				client, _ := connect(b, side)
				unary(b, client)
				for range b.N {
					before, goroutines := heap(), runtime.NumGoroutine()
					streams := make([]grpc_testing.TestService_FullDuplexCallClient, n)
					for i := range streams {
						s, err := client.FullDuplexCall(b.Context())
						if err == nil {
							err = s.Send(&grpc_testing.StreamingOutputCallRequest{})
						}
						if err == nil {
							_, err = s.Recv()
						}
						if err != nil {
							b.Fatal(err)
						}
						streams[i] = s
					}
					b.ReportMetric(float64(heap()-before)/float64(n), "heap-B/stream")
					b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/stream")
					for _, s := range streams {
						_ = s.CloseSend()
						_, _ = s.Recv()
					}
				}
			})
		}
	}
}

// BenchmarkSoak sends a million requests for each b.N and reports how heap and goroutines grew after the first tenth.
func BenchmarkSoak(b *testing.B) {
	const requests = 1_000_000
	t, _ := spanloomTracer(b, true)
	h := users(httpmw.Middleware(t))
	for range b.N {
		r, w := request(w3cHeaders(modes[2])), &discard{header: http.Header{}}
		var before int64
		var goroutines int
		start := time.Now()
		for i := range requests {
			if i == requests/10 {
				before, goroutines = heap(), runtime.NumGoroutine()
			}
			clear(w.header)
			h.ServeHTTP(w, r)
		}
		b.ReportMetric(float64(heap()-before)/1024, "heap-growth-KiB")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutine-growth")
		b.ReportMetric(requests/time.Since(start).Seconds(), "req/s")
	}
}

// heap is what is live after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
