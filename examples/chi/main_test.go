package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Both example programs, as processes of their own, make one trace, and inventory's half of it reaches the page
// that storefront serves.
func TestTwoProcessesMakeOneTrace(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command(
		"go", "build", "-o", bin, "github.com/spanloom/spanloom/examples/chi",
		"github.com/spanloom/spanloom/examples/grpc",
	)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Storefront's address must be known before inventory starts, and inventory's before storefront, so that inventory
	// stands behind a relay.
	relay, inventoryAddr := startRelay(t)
	shop := start(t, filepath.Join(bin, "chi"), "", "-addr", "127.0.0.1:0", "-inventory", relay)
	base := shop.until(t, `storefront: (http://\S+)`)
	stock := start(
		t, filepath.Join(bin, "grpc"), "OTEL_EXPORTER_OTLP_ENDPOINT="+base+"/debug/traces", "-addr", "127.0.0.1:0",
	)
	inventoryAddr <- stock.until(t, `inventory: gRPC on (\S+)`)

	want := []string{
		"storefront server GET /products/{id} <- none",
		"storefront client /inventory.v1.Inventory/GetStock <- storefront GET /products/{id}",
		"inventory server /inventory.v1.Inventory/GetStock <- storefront /inventory.v1.Inventory/GetStock",
		"inventory client SELECT stock <- inventory /inventory.v1.Inventory/GetStock",
		"storefront client GET /prices/{id} <- storefront GET /products/{id}",
		"supplier server GET /prices/{id} <- storefront GET /prices/{id}",
	}
	slices.Sort(want)
	id := get(t, base+"/products/42").Header.Get("X-Trace-Id")
	if len(id) != 32 {
		t.Fatalf("X-Trace-Id %q, want 32 hex digits", id)
	}
	var got []string
	deadline := time.Now().Add(time.Minute)
	for !slices.Equal(got, want) && time.Now().Before(deadline) {
		got = shape(t, base+"/debug/traces/api/traces/"+id)
	}
	if !slices.Equal(got, want) {
		t.Errorf("trace\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, p := range []*process{shop, stock} {
		p.interrupt(t)
	}
}

// One command is enough: without -inventory the program starts its neighbours, and every route answers.
func TestAloneItStartsItsNeighbours(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "chi")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shop := start(t, bin, "", "-addr", "127.0.0.1:0")
	base := shop.until(t, `storefront: (http://\S+)`)
	for path, status := range map[string]int{
		"/products/42": 200, "/products/1000": 404, "/products/42/reviews": 200, "/slow": 200, "/fail": 502,
		"/panic": 500, "/nothing": 404, "/debug/traces/": 200,
	} {
		t.Run(path, func(t *testing.T) {
			if resp := get(t, base+path); resp.StatusCode != status {
				t.Errorf("GET %s: %s, want %d", path, resp.Status, status)
			}
		})
	}
	resp, err := http.Post(base+"/orders", "application/json", strings.NewReader(`{"product":"42","quantity":3}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(body), `"items":3`) {
		t.Errorf("POST /orders: %s %s", resp.Status, body)
	}
	var services struct{ Data []string }
	decode(t, get(t, base+"/debug/traces/api/services"), &services)
	if want := []string{"inventory", "storefront", "supplier"}; !slices.Equal(services.Data, want) {
		t.Errorf("services %v, want %v", services.Data, want)
	}
	shop.interrupt(t)
}

type process struct {
	cmd    *exec.Cmd
	lines  chan string
	stderr bytes.Buffer // whole once the program has ended
}

// start runs a program without the variables that would configure its tracer.
func start(t *testing.T, path, env string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(path, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "OTEL_") && !strings.HasPrefix(kv, "JAEGER_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, lines: make(chan string, 100)}
	cmd.Stderr = &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// until returns what the pattern's group matched in the first line that fits.
func (p *process) until(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(time.Minute)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("%s ended before it printed %q", p.cmd.Path, pattern)
			}
			if m := re.FindStringSubmatch(line); m != nil {
				return strings.Replace(m[1], "localhost", "127.0.0.1", 1)
			}
		case <-timeout:
			t.Fatalf("%s did not print %q", p.cmd.Path, pattern)
		}
	}
}

// interrupt is Ctrl-C: the program ends by itself, with 0.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for range p.lines {
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s after Ctrl-C: %v", filepath.Base(p.cmd.Path), err)
	}
}

// shape writes each span of a trace as "service kind name <- parent's service and name", sorted.
func shape(t *testing.T, url string) []string {
	t.Helper()
	var answer struct {
		Data []struct {
			Spans []struct {
				SpanID, OperationName, ProcessID string
				References                       []struct{ RefType, SpanID string }
				Tags                             []struct {
					Key   string
					Value any
				}
			}
			Processes map[string]struct{ ServiceName string }
		}
	}
	decode(t, get(t, url), &answer)
	var lines []string
	for _, trace := range answer.Data {
		names := map[string]string{}
		for _, s := range trace.Spans {
			names[s.SpanID] = trace.Processes[s.ProcessID].ServiceName + " " + s.OperationName
		}
		for _, s := range trace.Spans {
			kind, parent := "", "none"
			for _, tag := range s.Tags {
				if tag.Key == "span.kind" {
					kind = fmt.Sprint(tag.Value)
				}
			}
			for _, r := range s.References {
				parent = names[r.SpanID]
			}
			lines = append(
				lines,
				fmt.Sprintf("%s %s %s <- %s", trace.Processes[s.ProcessID].ServiceName, kind, s.OperationName, parent),
			)
		}
	}
	slices.Sort(lines)
	return lines
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func decode(t *testing.T, resp *http.Response, into any) {
	t.Helper()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// startRelay starts a listener that carries one connection to the address that is sent.
func startRelay(t *testing.T) (addr string, target chan<- string) {
	t.Helper()
	lis, err := listenLoopback()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lis.Close() })
	to := make(chan string, 1)
	go func() {
		near, err := lis.Accept()
		if err != nil {
			return
		}
		defer near.Close()
		far, err := net.Dial("tcp", <-to)
		if err != nil {
			return
		}
		defer far.Close()
		go io.Copy(far, near)
		io.Copy(near, far)
	}()
	return lis.Addr().String(), to
}
