package faults_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
)

// busy is a process under load.
type busy struct {
	*proc.Process
	t   *testing.T
	url string
	ids string // file

	answered, failed atomic.Int64
	stop             chan struct{}
	clients          sync.WaitGroup
}

// startBusy starts a process whose shutdown may take as long as drain.
func startBusy(t *testing.T, drain time.Duration, env ...string) *busy {
	t.Helper()
	b := &busy{t: t, ids: filepath.Join(t.TempDir(), "ids"), stop: make(chan struct{})}
	env = append(env, "OTEL_BSP_MAX_QUEUE_SIZE=200000", "OTEL_BSP_SCHEDULE_DELAY=100")
	b.Process = proc.Start(t, proc.Build(t, ".", "./internal/busy", "busy"), env, "-ids", b.ids, "-drain", drain.String())
	b.url = strings.TrimPrefix(b.Line("busy at "), "busy at ")
	for range 4 {
		b.clients.Go(b.client)
	}
	t.Cleanup(b.quiet)
	return b
}

// client sends some hundred requests a second.
func (b *busy) client() {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: wait.Patience}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-b.stop:
			return
		case <-tick.C:
		}
		resp, err := client.Get(fmt.Sprint(b.url, "/products/", 1+n%99))
		if err != nil {
			b.failed.Add(1)
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			b.answered.Add(1)
		} else {
			b.failed.Add(1)
		}
	}
}

// quiet ends the load.
func (b *busy) quiet() {
	select {
	case <-b.stop:
	default:
		close(b.stop)
	}
	b.clients.Wait()
}

// terminate ends the process while the load goes on, and returns what it counted and the spans it reported.
func (b *busy) terminate() (tracerinit.Stats, []string) {
	b.t.Helper()
	if n := b.failed.Load(); n > 0 {
		b.t.Errorf("%d requests of %d failed", n, n+b.answered.Load())
	}
	b.Signal(syscall.SIGTERM)
	code, err := b.Exit(wait.Patience)
	if code != 0 || err != nil {
		b.t.Fatalf("exit %d, %v", code, err)
	}
	b.quiet()
	var stats tracerinit.Stats
	if err := json.Unmarshal([]byte(b.Line(`{"Started"`)), &stats); err != nil {
		b.t.Fatal(err)
	}
	text, err := os.ReadFile(b.ids)
	if err != nil {
		b.t.Fatal(err)
	}
	return stats, strings.Fields(string(text))
}

func (b *busy) account(stats tracerinit.Stats, reported []string, taken *sink.Taken) {
	b.t.Helper()
	e := stats.Exporters[0]
	b.t.Logf("%d requests; started %d; %s: delivered %d, dropped %+v, %d failed attempts",
		b.answered.Load(), stats.Started, e.Name, e.Delivered, e.Dropped, e.Failures)
	if stats.Open != 0 || stats.Started != stats.Unsampled+stats.Reported || stats.Repeated != 0 {
		b.t.Errorf("the counts of spans do not add up: %+v", stats)
	}
	if e.Reported != stats.Reported || e.Reported != e.Delivered+e.Dropped.Total() || e.Reported != uint64(len(reported)) {
		b.t.Errorf("the exporter's counts do not add up for %d reported spans: %+v", len(reported), e)
	}
	if stats.Reported < 3*uint64(b.answered.Load()) {
		b.t.Errorf("%d spans of %d answered requests, want 4 of each", stats.Reported, b.answered.Load())
	}
	if e.Delivered != uint64(taken.Len()) {
		b.t.Errorf("delivered %d, the backend took %d", e.Delivered, taken.Len())
	}
	if e.Delivered == uint64(len(reported)) {
		sink.SameIDs(b.t, taken, reported)
	}
}

// TestThirtySecondsOfTrouble breaks the network and the backend again and again under a load of hundreds of requests a
// second. Nothing is lost, no request fails, and the process stops in time while requests still come in.
func TestThirtySecondsOfTrouble(t *testing.T) {
	backend := sink.NewHTTP(t)
	wire := sink.NewWire(t, strings.TrimPrefix(backend.URL, "http://"))
	b := startBusy(t, time.Minute, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+wire.Addr, "OTEL_EXPORTER_OTLP_TIMEOUT=1000")
	pause := time.NewTicker(1500 * time.Millisecond)
	defer pause.Stop()
	end := time.Now().Add(30 * time.Second)
	for n := 0; time.Now().Before(end); n++ {
		switch n % 6 {
		case 0, 1, 2, 3:
			wire.Set(t, broken[n%6])
			<-pause.C
			wire.Set(t, sink.Sound)
		case 4:
			backend.Misbehave(sink.Refuse(http.StatusServiceUnavailable))
			<-pause.C
			backend.Misbehave(nil)
		case 5:
			backend.Down()
			<-pause.C
			backend.Up(t)
		}
		<-pause.C
	}
	stats, reported := b.terminate()
	b.account(stats, reported, &backend.Taken)
	if e := stats.Exporters[0]; e.Dropped.Total() != 0 || e.Failures == 0 {
		t.Errorf("spans were lost, or there was no trouble: %+v", e)
	}
}

// A process gets SIGTERM under load, with a backend that is there, and with one that is not.
func TestSIGTERM(t *testing.T) {
	t.Run("OTLP over HTTP", func(t *testing.T) {
		backend := sink.NewHTTP(t)
		b := startBusy(t, time.Minute, "OTEL_EXPORTER_OTLP_ENDPOINT="+backend.URL)
		stopUnderLoad(t, b, &backend.Taken, true)
	})
	t.Run("OTLP over gRPC", func(t *testing.T) {
		backend := sink.NewGRPC(t)
		b := startBusy(t, time.Minute, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+backend.Addr, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
		stopUnderLoad(t, b, &backend.Taken, true)
	})
	t.Run("thrift over HTTP", func(t *testing.T) {
		backend := sink.NewHTTP(t)
		b := startBusy(t, time.Minute, "JAEGER_ENDPOINT="+backend.URL+"/api/traces")
		stopUnderLoad(t, b, &backend.Taken, true)
	})
	t.Run("no backend", func(t *testing.T) {
		backend := sink.NewHTTP(t)
		backend.Down()
		b := startBusy(t, 3*time.Second, "OTEL_EXPORTER_OTLP_ENDPOINT="+backend.URL)
		stopUnderLoad(t, b, &backend.Taken, false)
	})
	t.Run("hanging backend", func(t *testing.T) {
		backend := sink.NewHTTP(t)
		backend.Misbehave(sink.Hang)
		b := startBusy(t, 3*time.Second, "OTEL_EXPORTER_OTLP_ENDPOINT="+backend.URL)
		stopUnderLoad(t, b, &backend.Taken, false)
	})
}

func stopUnderLoad(t *testing.T, b *busy, taken *sink.Taken, there bool) {
	t.Helper()
	<-time.After(1500 * time.Millisecond)
	stats, reported := b.terminate()
	b.account(stats, reported, taken)
	if e := stats.Exporters[0]; there && e.Dropped.Total() != 0 || !there && e.Delivered != 0 {
		t.Errorf("%+v", e)
	}
}
