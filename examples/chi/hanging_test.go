package main

import (
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// With a collector that takes connections and never answers, the program loses its spans. It says so, ends with 0, and
// needs no longer for three tracers than for one, whose shutdown timeout is 5 seconds: one after another they took 15.
func TestACollectorThatHangsDelaysTheExitOnce(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "chi")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	collector, err := listenLoopback()
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	go hang(collector)
	shop := start(t, bin, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector.Addr().String(), "-addr", "127.0.0.1:0")
	base := shop.until(t, `storefront: (http://\S+)`)
	get(t, base+"/products/42")
	began := time.Now()
	shop.interrupt(t)
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("the program took %v to end", took)
	}
	if logged := shop.stderr.String(); !strings.Contains(logged, "spans") || !strings.Contains(logged, "WARN") {
		t.Errorf("the loss is not logged:\n%s", logged)
	}
}

// hang reads what comes in and never answers.
func hang(lis net.Listener) {
	for {
		conn, err := lis.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(io.Discard, conn)
		}()
	}
}
