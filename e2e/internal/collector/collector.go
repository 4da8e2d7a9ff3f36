// Package collector runs an OpenTelemetry Collector on free loopback ports and reads back what arrived.
package collector

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/spanloom/spanloom/e2e/internal/ports"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// Collector is a running one. Addresses are host:port.
type Collector struct {
	OTLPHTTP, OTLPGRPC, ThriftHTTP, ThriftUDP string

	dir     string
	process *proc.Process
}

// Start runs a collector until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{dir: t.TempDir()}
	free := ports.Free(t, 4)
	c.OTLPHTTP, c.OTLPGRPC, c.ThriftHTTP, c.ThriftUDP = free[0], free[1], free[2], free[3]
	return c
}

const config = `
receivers:
  otlp: {protocols: {http: {endpoint: %q}, grpc: {endpoint: %q}}}
  jaeger: {protocols: {thrift_http: {endpoint: %q}, thrift_compact: {endpoint: %q}}}
processors:
  memory_limiter: {check_interval: 20ms, limit_mib: %d, spike_limit_mib: 0}
exporters:
  lines: {path: %q}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    traces: {receivers: [otlp, jaeger], processors: [memory_limiter], exporters: [lines]}
`

// Run starts the program, again if it ran before. With full memory its limiter refuses everything.
func (c *Collector) Run(t testing.TB, full bool) {
	t.Helper()
	c.Kill()
	limit := 1000
	if full {
		limit = 1
	}
	path := filepath.Join(c.dir, "config.yaml")
	text := fmt.Sprintf(config, c.OTLPHTTP, c.OTLPGRPC, c.ThriftHTTP, c.ThriftUDP, limit, c.file())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.process = proc.Start(t, proc.Build(t, "collectord", ".", "collectord"), nil, "--config="+path)
	want := http.StatusOK
	if full {
		want = http.StatusServiceUnavailable
	}
	wait.For(t, "the collector to answer", func() (any, bool) {
		resp, err := http.Post("http://"+c.OTLPHTTP+"/v1/traces", "application/json", strings.NewReader(probeBody))
		if err != nil {
			return err, false
		}
		resp.Body.Close()
		return resp.Status, resp.StatusCode == want
	})
}

// probe is the name of the span by which Run finds out whether a collector takes spans.
const (
	probe     = "probe"
	probeBody = `{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "` + probe + `",
		"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7"}]}]}]}`
)

// Kill ends it at once.
func (c *Collector) Kill() {
	if c.process != nil {
		c.process.Kill()
	}
}

func (c *Collector) file() string { return filepath.Join(c.dir, "spans.jsonl") }

// Span is one span that arrived and the attributes of its resource.
type Span struct {
	*tracepb.Span
	Service string
}

// Spans returns all spans that have arrived, by name.
func (c *Collector) Spans(t testing.TB) map[string][]Span {
	t.Helper()
	file, err := os.Open(c.file())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	spans := map[string][]Span{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var data tracepb.TracesData
		if err := protojson.Unmarshal(fixIDs(lines.Bytes()), &data); err != nil {
			t.Fatal(err)
		}
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					span := Span{Span: s}
					for _, kv := range rs.Resource.Attributes {
						if kv.Key == "service.name" {
							span.Service = kv.Value.GetStringValue()
						}
					}
					spans[s.Name] = append(spans[s.Name], span)
				}
			}
		}
	}
	delete(spans, probe)
	return spans
}
