package bench

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

const connections = 64

// BenchmarkEndToEnd sends b.N requests over 64 keep-alive connections to a real server on loopback.
func BenchmarkEndToEnd(b *testing.B) {
	for _, m := range modes[:3] {
		for _, peer := range httpServers {
			b.Run(m.name+"/"+peer.name, func(b *testing.B) {
				h, headers, stop, _ := peer.start(b, m)
				defer stop()
				addr := serve(b, h)
				b.ReportAllocs()
				b.ResetTimer()
				start, before := time.Now(), cpu()
				latencies := hammer(b, addr, headers, b.N)
				b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "req/s")
				b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
				slices.Sort(latencies)
				b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

func serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(lis) }()
	tb.Cleanup(func() { server.Close() })
	return lis.Addr().String()
}

// hammer spreads n requests over the connections and returns what each took.
func hammer(tb testing.TB, addr string, headers map[string]string, n int) []time.Duration {
	tr := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer tr.CloseIdleConnections()
	all := make([]time.Duration, n)
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			for i := c; i < n; i += connections {
				start := time.Now()
				r := request(headers)
				r.URL.Host, r.RequestURI = addr, ""
				resp, err := tr.RoundTrip(r)
				if err != nil {
					tb.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				all[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return all
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Error("it did not happen within five seconds")
			return
		}
		<-time.After(time.Millisecond)
	}
}
