package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

const reports = "GET /reports/{year}"

// TestTheExampleLeadsToOneTraceFromEverywhere: from an exemplar of a metric, a line of the log and a CPU profile.
func TestTheExampleLeadsToOneTraceFromEverywhere(t *testing.T) {
	example := startExample(t)
	example.get(t, "/products/42")
	cpu := profileOf(t, example, func() {
		example.get(t, "/reports/2026")
		example.get(t, "/reports/2025")
	})
	metrics, _ := example.get(t, "/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
	id := exemplarOf(t, metrics, "http_server_request_duration_seconds_bucket", "http_route", "/reports/{year}")
	line := lineWith(t, example, "report done", id)
	samples, all := samplesWith(cpu, "trace_id", id), samplesWith(cpu, "span_name", reports)
	if len(samples) == 0 || len(samples) == len(all) {
		t.Errorf("%d of %d samples of the two requests are of trace %s", len(samples), len(all), id)
	}
	for _, s := range samples {
		if name, span := s.Label["span_name"], s.Label["span_id"]; len(name) != 1 || name[0] != reports || len(span) != 1 || span[0] != line.SpanID {
			t.Errorf("a sample of the trace has labels %v, want span %s of %s", s.Label, line.SpanID, reports)
		}
	}
	for what, pasted := range map[string]string{"exemplar": id, "log line": line.text} {
		t.Run(what, func(t *testing.T) {
			page, at := example.get(t, "/debug/traces/?q="+url.QueryEscape(pasted))
			if !strings.Contains(at, "/debug/traces/trace/"+id) || !bytes.Contains(page, []byte(reports)) {
				t.Errorf("leads to %s, want the page of trace %s", at, id)
			}
		})
	}
	t.Run("inventory", func(t *testing.T) { checkInventory(t, example, metrics) })
	example.interrupt(t)
}

// checkInventory wants the two sides of the RPC to have exemplars of one trace, which the server's log names, too.
func checkInventory(t *testing.T, example *program, metrics []byte) {
	const method = "inventory.v1.Inventory/GetStock"
	server := exemplarOf(t, metrics, "rpc_server_call_duration_seconds_bucket", "rpc_method", method)
	client := exemplarOf(t, metrics, "rpc_client_call_duration_seconds_bucket", "rpc_method", method)
	outer := exemplarOf(t, metrics, "http_server_request_duration_seconds_bucket", "http_route", "/products/{id}")
	if server != client || client != outer {
		t.Errorf("exemplars of %s on the server, %s on the client and %s of the request around, want one trace", server, client, outer)
	}
	lineWith(t, example, "finished call", server)
}

// profileOf returns the CPU profile of the example during work.
func profileOf(t *testing.T, example *program, work func()) *profile.Profile {
	t.Helper()
	raw := make(chan []byte, 1)
	go func() {
		defer close(raw) // Fatal ends the goroutine
		body, _ := example.get(t, "/debug/pprof/profile?seconds=4")
		raw <- body
	}()
	work()
	cpu, err := profile.ParseData(<-raw)
	if err != nil {
		t.Fatal(err)
	}
	return cpu
}

func samplesWith(p *profile.Profile, label, value string) (found []*profile.Sample) {
	for _, s := range p.Sample {
		if v := s.Label[label]; len(v) == 1 && v[0] == value {
			found = append(found, s)
		}
	}
	return found
}

type logLine struct {
	Msg     string
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	text    string
}

// lineWith returns the line of the example's log that has the message and the trace id.
func lineWith(t *testing.T, example *program, msg, id string) logLine {
	t.Helper()
	log := example.logged()
	for line := range strings.Lines(log) {
		l := logLine{text: line}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("log line %s: %v", line, err)
		}
		if l.Msg == msg && l.TraceID == id {
			return l
		}
	}
	t.Fatalf("no line %q of trace %s in the log:\n%s", msg, id, log)
	return logLine{}
}
