// Package jaeger runs a real Jaeger on free loopback ports and reads back what it stored.
package jaeger

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/ports"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// Jaeger is a running one. Addresses are host:port, URLs have no trailing slash.
type Jaeger struct {
	UDP       string // agent, thrift compact
	Sampling  string // agent's URL: "/" answers numbers for strategy types, "/sampling" answers names
	Collector string // URL: thrift at /api/traces, strategies at /api/sampling
	OTLPHTTP  string // URL
	OTLPGRPC  string
	GRPC      string // collector: strategies by Jaeger's own service
	API              // query

	flags      []string
	strategies string // file, reloaded as it changes
	process    *proc.Process
}

// Start runs a Jaeger until the test ends.
func Start(t testing.TB) *Jaeger {
	t.Helper()
	addr := ports.Free(t, 11)
	j := &Jaeger{
		UDP: addr[0], Sampling: "http://" + addr[1], Collector: "http://" + addr[2], OTLPHTTP: "http://" + addr[3],
		OTLPGRPC: addr[4], API: API("http://" + addr[5]), GRPC: addr[6],
		strategies: filepath.Join(t.TempDir(), "strategies.json"),
	}
	j.flags = programFlags(t, j, addr)
	j.SetStrategies(t, `{"default_strategy": {"type": "probabilistic", "param": 1}}`)
	j.Restart(t)
	return j
}

// Restart runs Jaeger again, on the same ports and with an empty store, after Kill or while it runs.
func (j *Jaeger) Restart(t testing.TB) {
	t.Helper()
	j.Kill()
	j.process = proc.Start(t, build(t), nil, j.flags...)
	wait.For(t, "Jaeger to answer", func() (any, bool) {
		resp, err := http.Get(string(j.API) + "/api/services")
		if err != nil {
			return err, false
		}
		resp.Body.Close()
		return resp.Status, resp.StatusCode == http.StatusOK
	})
}

// Kill ends it at once.
func (j *Jaeger) Kill() {
	if j.process != nil {
		j.process.Kill()
	}
}

// SetStrategies replaces the sampling strategies, in the format of Jaeger's strategies file. Jaeger reads them within
// a fraction of a second.
func (j *Jaeger) SetStrategies(t testing.TB, json string) {
	t.Helper()
	next := j.strategies + ".next"
	if err := os.WriteFile(next, []byte(json), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, j.strategies); err != nil {
		t.Fatal(err)
	}
}
