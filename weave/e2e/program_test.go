package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
)

// patience is how long a test waits for spans or for the end of a program.
const patience = 20 * time.Second

// backend takes spans as OTLP and as Jaeger's thrift, over HTTP.
type backend struct {
	*httptest.Server
	mu      sync.Mutex
	batches []model.Batch
	traced  []string // requests that came with the context of a span
	bad     []string
	more    chan struct{} // closed and replaced when spans come
}

func newBackend(t *testing.T) *backend {
	b := &backend{more: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(b.take))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) take(w http.ResponseWriter, r *http.Request) {
	batches, err := decode(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.bad = append(b.bad, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Header.Get("Traceparent") != "" || r.Header.Get("Uber-Trace-Id") != "" {
		b.traced = append(b.traced, r.URL.Path)
	}
	b.batches = append(b.batches, batches...)
	close(b.more)
	b.more = make(chan struct{})
}

func decode(r *http.Request) ([]model.Batch, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(body); err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/v1/traces") {
		return otlp.DecodeRequest(buf.Bytes(), model.DecodeLimits{})
	}
	batch, err := thrift.DecodeBatchBinary(buf.Bytes(), model.DecodeLimits{})
	return []model.Batch{batch}, err
}

// spans returns what has come so far.
func (b *backend) spans() (batches int, spans []model.Span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, batch := range b.batches {
		spans = append(spans, batch.Spans...)
	}
	return len(b.batches), spans
}

// await waits for n spans.
func (b *backend) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		more := b.more
		b.mu.Unlock()
		if _, spans := b.spans(); len(spans) >= n {
			return
		}
		select {
		case <-more:
		case <-deadline:
			_, spans := b.spans()
			t.Fatalf("%d spans came, want %d:\n%s", len(spans), n, strings.Join(traces(spans), "\n"))
		}
	}
}

// program is one that runs.
type program struct {
	url  string
	cmd  *exec.Cmd
	in   io.Closer
	log  bytes.Buffer
	done chan error
}

// start starts a program that sends its spans to b, every 50 ms.
func start(t *testing.T, name, kind string, b *backend) *program {
	t.Helper()
	p := &program{cmd: exec.Command(binaries[[2]string{name, kind}]), done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+name, "JAEGER_SERVICE_NAME="+name,
		"OTEL_EXPORTER_OTLP_ENDPOINT="+b.URL, "OTEL_BSP_SCHEDULE_DELAY=50", "JAEGER_REPORTER_FLUSH_INTERVAL=50ms")
	if name == "legacy" {
		p.cmd.Env = append(p.cmd.Env, "JAEGER_ENDPOINT="+b.URL+"/api/traces")
	}
	p.cmd.Stderr = &p.log
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	address, err := bufio.NewReader(out).ReadString('\n')
	go func() { p.done <- p.cmd.Wait() }()
	if err != nil {
		t.Fatalf("%s did not start: %v\n%s", name, err, p.log.String())
	}
	p.url = "http://" + strings.TrimSpace(address)
	return p
}

// get sends a request and returns the answer.
func (p *program) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// stop makes the program return from main, and waits for its end.
func (p *program) stop(t *testing.T) {
	t.Helper()
	p.in.Close()
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("the program ended with %v\n%s", err, p.log.String())
		}
	case <-time.After(patience):
		t.Fatal("the program did not end")
	}
}
