package browser_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanloom/spanloom/traceview"
)

// memory is a server of a view that a test fills with spans of its own. It can be started anew, as a program is.
type memory struct {
	*httptest.Server
	t    *testing.T
	view atomic.Pointer[traceview.View]
}

func serveMemory(t *testing.T) *memory {
	t.Helper()
	m := &memory{t: t}
	m.restart()
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.view.Load().ServeHTTP(w, r) }))
	t.Cleanup(func() { m.view.Load().Close(); m.Close() })
	return m
}

func (m *memory) restart() {
	old := m.view.Swap(traceview.New(traceview.Config{}))
	if old != nil {
		old.Close()
	}
}

// jsonSpan is a span of OTLP JSON.
type jsonSpan struct {
	TraceID    string           `json:"traceId"`
	SpanID     string           `json:"spanId"`
	ParentID   string           `json:"parentSpanId,omitempty"`
	Name       string           `json:"name"`
	Kind       int              `json:"kind"`
	Start      string           `json:"startTimeUnixNano"`
	End        string           `json:"endTimeUnixNano"`
	Attributes []map[string]any `json:"attributes,omitempty"`
	Status     map[string]any   `json:"status,omitempty"`
}

var began = time.Now().Add(-time.Minute)

// spanAt makes a span that starts from milliseconds after the tests' common start.
func spanAt(trace, id, parent int, name string, from, took float64, attributes ...string) jsonSpan {
	at := began.Add(time.Duration(from * float64(time.Millisecond)))
	s := jsonSpan{TraceID: fmt.Sprintf("%032x", trace), SpanID: fmt.Sprintf("%016x", id), Name: name, Kind: 1,
		Start: fmt.Sprint(at.UnixNano()), End: fmt.Sprint(at.Add(time.Duration(took * float64(time.Millisecond))).UnixNano())}
	if parent != 0 {
		s.ParentID = fmt.Sprintf("%016x", parent)
	}
	for i := 0; i+1 < len(attributes); i += 2 {
		s.Attributes = append(s.Attributes, map[string]any{"key": attributes[i], "value": map[string]any{"stringValue": attributes[i+1]}})
	}
	return s
}

func failedSpan(s jsonSpan, message string) jsonSpan {
	s.Status = map[string]any{"code": 2, "message": message}
	return s
}

// send posts spans of one service as OTLP JSON.
func (m *memory) send(service string, spans ...jsonSpan) {
	m.t.Helper()
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": []any{map[string]any{"key": "service.name", "value": map[string]any{"stringValue": service}}}},
		"scopeSpans": []any{map[string]any{"spans": spans}},
	}}})
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.Post(m.URL+"/debug/traces/v1/traces", "application/json", bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatal(resp.Status)
	}
}
