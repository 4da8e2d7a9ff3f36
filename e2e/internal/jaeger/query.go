package jaeger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// Span is one span as the query API returns it, sorted so that two answers can be compared.
type Span struct {
	TraceID       string      `json:"traceID"`
	SpanID        string      `json:"spanID"`
	OperationName string      `json:"operationName"`
	References    []Reference `json:"references"`
	Flags         uint32      `json:"flags"`
	StartTime     int64       `json:"startTime"` // µs since 1970
	Duration      int64       `json:"duration"`  // µs
	Tags          []KeyValue  `json:"tags"`
	Logs          []Log       `json:"logs"`
	Warnings      []string    `json:"warnings"`
	ProcessID     string      `json:"processID"`
	Process       Process     `json:"-"`
}

// Reference is one to another span.
type Reference struct {
	RefType string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

// KeyValue is a tag or a field of a log.
type KeyValue struct {
	Key   string      `json:"key"`
	Type  string      `json:"type"`
	Value json.Number `json:"-"` // the JSON text, so that no digit is lost
}

// UnmarshalJSON keeps the value as it is written.
func (kv *KeyValue) UnmarshalJSON(b []byte) error {
	var raw struct {
		Key, Type string
		Value     json.RawMessage
	}
	err := json.Unmarshal(b, &raw)
	kv.Key, kv.Type, kv.Value = raw.Key, raw.Type, json.Number(raw.Value)
	return err
}

// Log is an event of a span.
type Log struct {
	Timestamp int64      `json:"timestamp"`
	Fields    []KeyValue `json:"fields"`
}

// Process is what made a span.
type Process struct {
	ServiceName string     `json:"serviceName"`
	Tags        []KeyValue `json:"tags"`
}

// Tag returns the JSON text of a tag: `"GET"`, `200`, `true`; "" if there is none.
func (s Span) Tag(key string) string {
	for _, kv := range s.Tags {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

// Parent is the id of the span that s is a child of, or "".
func (s Span) Parent() string {
	for _, ref := range s.References {
		if ref.RefType == "CHILD_OF" && ref.TraceID == s.TraceID {
			return ref.SpanID
		}
	}
	return ""
}

type trace struct {
	Spans     []Span             `json:"spans"`
	Processes map[string]Process `json:"processes"`
}

// API is the base URL of something that answers as Jaeger's query API does.
type API string

// Trace polls until the trace has at least want spans, and returns them by start and id.
func (a API) Trace(t testing.TB, id string, want int) []Span {
	t.Helper()
	var spans []Span
	wait.For(t, fmt.Sprintf("trace %s with %d spans", id, want), func() (any, bool) {
		traces := a.get(t, "/api/traces/"+id)
		spans = nil
		if len(traces) == 1 {
			spans = traces[0].sorted()
		}
		return fmt.Sprintf("%d spans: %s", len(spans), names(spans)), len(spans) >= want
	})
	return spans
}

func (a API) get(t testing.TB, path string) []trace {
	t.Helper()
	resp, err := http.Get(string(a) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Data []trace }
	if resp.StatusCode == http.StatusNotFound {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return answer.Data
}

func (tr trace) sorted() []Span {
	for i := range tr.Spans {
		s := &tr.Spans[i]
		s.Process = tr.Processes[s.ProcessID]
		s.ProcessID = ""
		sortTags(s.Tags)
		restoreVersion(s.Process.Tags)
		sortTags(s.Process.Tags)
		slices.SortStableFunc(s.Logs, func(a, b Log) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
		for _, l := range s.Logs {
			sortTags(l.Fields)
		}
	}
	slices.SortFunc(tr.Spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.StartTime, b.StartTime), cmp.Compare(a.SpanID, b.SpanID))
	})
	return tr.Spans
}

// Tree draws the trace: one line for each span, children below their parent by start, with the span's kind, service,
// name and those of the given tags that it has.
func Tree(spans []Span, tags ...string) string {
	children := map[string][]Span{}
	known := map[string]bool{}
	for _, s := range spans {
		known[s.SpanID] = true
	}
	for _, s := range spans {
		parent := s.Parent()
		if !known[parent] && parent != "" {
			parent = "?" // a parent that is not in the trace
		}
		children[parent] = append(children[parent], s)
	}
	var b strings.Builder
	draw(&b, children, "", "", tags)
	draw(&b, children, "?", "(orphan) ", tags)
	return b.String()
}

func draw(b *strings.Builder, children map[string][]Span, parent, indent string, tags []string) {
	for _, s := range children[parent] {
		kind, _ := strconv.Unquote(s.Tag("span.kind"))
		fmt.Fprintf(b, "%s%s %s %q", indent, cmp.Or(kind, "internal"), s.Process.ServiceName, s.OperationName)
		for _, key := range tags {
			if value := s.Tag(key); value != "" {
				fmt.Fprintf(b, " %s=%s", key, value)
			}
		}
		b.WriteByte('\n')
		draw(b, children, s.SpanID, indent+"  ", tags)
	}
}

func sortTags(tags []KeyValue) {
	slices.SortStableFunc(tags, func(a, b KeyValue) int { return cmp.Compare(a.Key, b.Key) })
}

// restoreVersion undoes what Jaeger v2 does to the version of jaeger-client-go in thrift, and to it alone: its receiver
// makes an OpenCensus attribute of it.
func restoreVersion(tags []KeyValue) {
	for i, kv := range tags {
		if kv.Key == "opencensus.exporterversion" {
			tags[i].Key = "jaeger.version"
			tags[i].Value = json.Number(strings.Replace(string(kv.Value), "Jaeger-", "", 1))
		}
	}
}

func names(spans []Span) (all []string) {
	for _, s := range spans {
		all = append(all, s.Process.ServiceName+":"+s.OperationName)
	}
	return all
}

// Has says whether a trace is stored now.
func (a API) Has(t testing.TB, id string) bool {
	t.Helper()
	return len(a.get(t, "/api/traces/"+id)) > 0
}
