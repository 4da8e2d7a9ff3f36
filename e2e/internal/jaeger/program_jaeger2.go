//go:build jaeger2

package jaeger

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/proc"
)

// Version2 reports whether the tests run against Jaeger v2.
const Version2 = true

// build builds Jaeger v2, the program that the Jaeger project ships.
func build(t testing.TB) string {
	return proc.Build(t, "jaeger2", "github.com/jaegertracing/jaeger/cmd/jaeger", "jaeger2")
}

// config has the form of the configurations that Jaeger v2 ships, with the addresses that Start chose.
const config = `
service:
  extensions: [jaeger_storage, jaeger_query, remote_sampling]
  pipelines:
    traces: {receivers: [otlp, jaeger], exporters: [jaeger_storage_exporter]}
  telemetry: {metrics: {level: none}, logs: {level: error}}
extensions:
  jaeger_storage: {backends: {memory: {memory: {max_traces: 1000000}}}}
  jaeger_query: {storage: {traces: memory}, http: {endpoint: "%s"}, grpc: {endpoint: "%s"}}
  remote_sampling:
    file: {path: "%s", reload_interval: 50ms, default_sampling_probability: 1}
    http: {endpoint: "%s"}
    grpc: {endpoint: "%s"}
receivers:
  otlp: {protocols: {http: {endpoint: "%s"}, grpc: {endpoint: "%s"}}}
  jaeger: {protocols: {thrift_compact: {endpoint: "%s", socket_buffer_size: 4000000}, thrift_http: {endpoint: "%s"}}}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
`

func programFlags(t testing.TB, j *Jaeger, addr []string) []string {
	path := filepath.Join(filepath.Dir(j.strategies), "config.yaml")
	text := fmt.Sprintf(config, addr[5], addr[9], j.strategies, addr[1], j.GRPC, addr[3], addr[4], j.UDP, addr[2])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config=" + path}
}
