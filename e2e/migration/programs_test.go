package migration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uber/jaeger-client-go/thrift"
	"github.com/uber/jaeger-client-go/thrift-gen/jaeger"
)

// sink takes Jaeger thrift over HTTP, as a collector does.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*jaeger.Span
}

func newSink(t *testing.T) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch jaeger.Batch
		buffer := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(body)}
		if err == nil {
			err = batch.Read(r.Context(), thrift.NewTBinaryProtocolConf(buffer, nil))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spans = append(s.spans, batch.Spans...)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s
}

// shown are the tags that a line of a tree has.
var shown = []string{"error", "http.status_code", "http.route", "response_code", "rpc.grpc.status_code", "tenant"}

// tree writes each span below its parent, with its kind and the tags above; traces are sorted.
func (s *sink) tree() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	children := map[int64][]*jaeger.Span{}
	known := map[int64]bool{}
	for _, span := range s.spans {
		known[span.SpanId] = true
	}
	for _, span := range s.spans {
		parent := span.ParentSpanId
		for _, r := range span.References {
			parent = r.SpanId
		}
		if !known[parent] {
			parent = 0
		}
		children[parent] = append(children[parent], span)
	}
	var write func(parent int64, indent string) []string
	write = func(parent int64, indent string) (out []string) {
		for _, span := range children[parent] {
			block := indent + line(span) + "\n" + strings.Join(write(span.SpanId, indent+"  "), "")
			out = append(out, block)
		}
		slices.Sort(out)
		return out
	}
	return "\n" + strings.Join(write(0, ""), "")
}

func line(span *jaeger.Span) string {
	tags := map[string]string{}
	for _, tag := range span.Tags {
		switch tag.VType {
		case jaeger.TagType_STRING:
			tags[tag.Key] = tag.GetVStr()
		case jaeger.TagType_BOOL:
			tags[tag.Key] = fmt.Sprint(tag.GetVBool())
		case jaeger.TagType_LONG:
			tags[tag.Key] = fmt.Sprint(tag.GetVLong())
		}
	}
	out := strings.TrimSpace(tags["span.kind"] + " " + fmt.Sprintf("%q", span.OperationName))
	for _, key := range shown {
		if v, ok := tags[key]; ok {
			out += " " + key + "=" + v
		}
	}
	return out
}

// builds compiles the program both ways.
func builds(t *testing.T) map[string]string {
	dir := t.TempDir()
	out := map[string]string{"stock": filepath.Join(dir, "stock"), "moved": filepath.Join(dir, "moved")}
	for name, path := range out {
		cmd := exec.Command(
			"go", "build", "-o", path, "-tags", map[string]string{"stock": "", "moved": "moved"}[name], "./program",
		)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
	}
	return out
}

// run runs a program against the sink and returns the tree of its spans and its metrics.
func run(t *testing.T, path, scenario string) (tree string, metrics map[string]int64) {
	t.Helper()
	s := newSink(t)
	cmd := exec.CommandContext(context.Background(), path, scenario)
	cmd.Env = append(os.Environ(), "COLLECTOR="+s.URL+"/api/traces")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &metrics); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s.tree(), metrics
}

// fold adds metrics up whose names differ in the endpoint alone: the kit names it by its route.
func fold(metrics map[string]int64, prefix string) map[string]int64 {
	out := map[string]int64{}
	for name, n := range metrics {
		if !strings.HasPrefix(name, prefix) || n == 0 {
			continue
		}
		var parts []string
		for part := range strings.SplitSeq(name, "|") {
			if !strings.HasPrefix(part, "endpoint=") {
				parts = append(parts, part)
			}
		}
		out[strings.Join(parts, "|")] += n
	}
	return out
}

func TestMovedProgramsMakeTheSameTreesOrBetter(t *testing.T) {
	paths := builds(t)
	for _, c := range trees {
		t.Run(c.scenario, func(t *testing.T) {
			stockTree, stock := run(t, paths["stock"], c.scenario)
			movedTree, moved := run(t, paths["moved"], c.scenario)
			if diff := cmp.Diff(c.stock, stockTree); diff != "" {
				t.Errorf("stock (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.moved, movedTree); diff != "" {
				t.Errorf("moved (-want +got):\n%s", diff)
			}
			want := fold(stock, "jaeger-rpc.")
			for name, n := range c.rpc {
				if want[name] += n; want[name] == 0 {
					delete(want, name)
				}
			}
			if diff := cmp.Diff(want, fold(moved, "jaeger-rpc.")); diff != "" {
				t.Errorf("RPC metrics (-stock +moved):\n%s", diff)
			}
			for name, metrics := range map[string]map[string]int64{"stock": stock, "moved": moved} {
				spans := int64(strings.Count(map[string]string{"stock": stockTree, "moved": movedTree}[name], "\n") - 1)
				for _, counter := range []string{"started_spans|sampled=y", "finished_spans|sampled=y",
					"reporter_spans|result=ok"} {
					if got := metrics["jaeger.tracer."+counter]; got != spans {
						t.Errorf("%s: %s is %d, %d spans arrived", name, counter, got, spans)
					}
				}
			}
		})
	}
}
