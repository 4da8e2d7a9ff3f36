package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is a running spanview.
type program struct {
	t      *testing.T
	addr   map[string]string // by the title of the port
	cancel context.CancelFunc
	status chan int
	errors *syncBuffer
	once   sync.Once
	exit   int
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// anyPorts are flags by which each port is one that is free.
var anyPorts = []string{"-page", "0", "-otlp-http", "0", "-otlp-grpc", "0", "-jaeger-http", "0", "-jaeger-compact", "0", "-jaeger-binary", "0", "-jaeger-sampling", "0", "-zipkin", "0"}

// startProgram runs spanview on free ports until the test ends.
func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{t: t, addr: map[string]string{}, cancel: cancel, status: make(chan int, 1), errors: &syncBuffer{}}
	r, w := io.Pipe()
	go func() {
		p.status <- run(ctx, append(append([]string{}, anyPorts...), args...), w, p.errors)
		w.Close()
	}()
	t.Cleanup(func() { p.stop() })
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := strings.TrimPrefix(lines.Text(), "spanview: ")
		if strings.HasPrefix(line, "ready") {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return p
		}
		title, addr, _ := strings.Cut(line, "  ")
		addr = strings.TrimSpace(addr)
		addr = addr[strings.Index(addr, "://")+len("://"):]
		p.addr[title], _, _ = strings.Cut(strings.Replace(addr, "localhost", "127.0.0.1", 1), "/")
	}
	t.Fatalf("spanview did not start: %s", p.errors)
	return nil
}

// stop ends the program and returns its exit status.
func (p *program) stop() int {
	p.once.Do(func() {
		http.DefaultClient.CloseIdleConnections()
		p.cancel()
		p.exit = <-p.status
	})
	return p.exit
}

// page returns an answer of the page.
func (p *program) page(path string) string {
	p.t.Helper()
	resp, err := http.Get("http://" + p.addr["page"] + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

// until waits for the page to show something.
func (p *program) until(path, want string) {
	p.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if strings.Contains(p.page(path), want) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not show %q:\n%.2000s\n%s", path, want, p.page(path), p.errors)
		}
		<-tick.C
	}
}

// post sends a body and returns the status and the answer.
func (p *program) post(port, path, contentType string, body []byte, header ...string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest("POST", "http://"+p.addr[port]+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer)
}
