package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

// requests are sent to each program, one after another.
var requests = map[string][]string{
	"shop":   {"/products/7", "/products/7", "/products/0", "/watch/3", "/nothing/at/all"},
	"legacy": {"/order", "/order", "/nothing"},
}

// TestWovenProgramsSendWhatProgramsByHandSend span by span, and so do programs that are both.
func TestWovenProgramsSendWhatProgramsByHandSend(t *testing.T) {
	for name, paths := range requests {
		t.Run(name, func(t *testing.T) {
			wantAnswers, want := exercise(t, name, isByHand, paths)
			if len(want) < len(paths) {
				t.Fatalf("by hand there are %d traces of %d requests", len(want), len(paths))
			}
			for _, kind := range []string{isWoven, isBoth} {
				t.Run(kind, func(t *testing.T) {
					answers, got := exercise(t, name, kind, paths)
					if diff := cmp.Diff(wantAnswers, answers); diff != "" {
						t.Errorf("answers, -by hand +%s:\n%s", kind, diff)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("traces, -by hand +%s:\n%s", kind, diff)
					}
				})
			}
			t.Logf("%d traces of %s:\n%s", len(want), name, strings.Join(want, "\n"))
		})
	}
}

// exercise runs a program and returns its answers and its traces.
func exercise(t *testing.T, name, kind string, paths []string) (answers, found []string) {
	t.Helper()
	b := newBackend(t)
	p := start(t, name, kind, b)
	for _, path := range paths {
		status, body := p.get(t, path)
		answers = append(answers, fmt.Sprintf("%s: %d %s", path, status, body))
	}
	p.stop(t)
	_, spans := b.spans()
	return answers, traces(spans)
}

// TestExportersOfWovenProgramsMakeNoSpans over ten batches: a batch that were traced would make another one.
func TestExportersOfWovenProgramsMakeNoSpans(t *testing.T) {
	for name, path := range map[string]string{"shop": "/nothing", "legacy": "/nothing"} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			p := start(t, name, isWoven, b)
			const intervals = 10
			for i := range intervals {
				p.get(t, path)
				b.await(t, i+1)
			}
			p.stop(t)
			batches, spans := b.spans()
			if batches < intervals || len(spans) != intervals || len(b.traced) > 0 || len(b.bad) > 0 {
				t.Errorf("%d batches of %d spans, %d with the context of a span, refused %v; want %d spans:\n%s",
					batches, len(spans), len(b.traced), b.bad, intervals, strings.Join(traces(spans), "\n"))
			}
		})
	}
}

func TestWovenProgramsPassTheirTests(t *testing.T) {
	if err := orchestrion("test", "-count=1", "./shop"); err != nil {
		t.Error(err)
	}
}

// TestWovenCases runs package cases.
func TestWovenCases(t *testing.T) {
	if err := orchestrion("test", "-count=1", "-tags=woven", "./cases"); err != nil {
		t.Error(err)
	}
}

// TestNothingOfTheWeaverIsLinked or required.
func TestNothingOfTheWeaverIsLinked(t *testing.T) {
	vendor := regexp.MustCompile(`(?i)datadog|dd-trace|orchestrion`)
	for name := range requests {
		t.Run(name, func(t *testing.T) {
			binary := binaries[[2]string{name, isWoven}]
			for _, list := range [][]string{{"tool", "nm", binary}, {"version", "-m", binary}} {
				out, err := exec.Command("go", list...).Output()
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(out), "spanloom") {
					t.Errorf("go %s does not list the kit", list[0])
				}
				if found := vendor.FindAllString(string(out), -1); len(found) > 0 {
					t.Errorf("go %s of %s lists %v", list[0], name, found)
				}
			}
		})
	}
	for _, file := range []string{"go.mod", "go.sum", "orchestrion.tool.go"} { // the weaver may rewrite them
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?i)datadog|dd-trace`).Match(text) {
			t.Errorf("%s names the weaver's vendor:\n%s", file, text)
		}
	}
}

var (
	volatile = regexp.MustCompile(`^(peer\.port|.*_ms)$`)
	port     = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

// traces describes spans trace by trace, each as a tree, without what differs from run to run.
func traces(spans []model.Span) (trees []string) {
	children := map[[3]uint64][]model.Span{}
	known := map[[3]uint64]bool{}
	for _, s := range spans {
		known[[3]uint64{s.TraceID.High, s.TraceID.Low, s.SpanID}] = true
	}
	for _, s := range spans {
		parent := [3]uint64{s.TraceID.High, s.TraceID.Low, s.ParentID}
		if !known[parent] {
			parent = [3]uint64{}
		}
		children[parent] = append(children[parent], s)
	}
	for _, root := range children[[3]uint64{}] {
		trees = append(trees, tree(root, children, ""))
	}
	slices.Sort(trees)
	return trees
}

func tree(s model.Span, children map[[3]uint64][]model.Span, indent string) string {
	var tags []string
	for _, tag := range s.Tags {
		value := port.ReplaceAllString(tag.Value.String(), "127.0.0.1:PORT")
		if volatile.MatchString(tag.Key) {
			value = "SOME"
		}
		tags = append(tags, tag.Key+"="+value)
	}
	slices.Sort(tags)
	orphan := ""
	if indent == "" && s.ParentID != 0 {
		orphan = " (its parent is missing)"
	}
	lines := []string{fmt.Sprintf("%s%s%s: %s, %d logs", indent, s.Name, orphan, strings.Join(tags, " "), len(s.Logs))}
	var below []string
	for _, c := range children[[3]uint64{s.TraceID.High, s.TraceID.Low, s.SpanID}] {
		below = append(below, tree(c, children, indent+"    "))
	}
	slices.Sort(below)
	return strings.Join(append(lines, below...), "\n")
}

// TestSpansOfAProgramThatExitsAreSent though no deferred function runs.
func TestSpansOfAProgramThatExitsAreSent(t *testing.T) {
	b := newBackend(t)
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	cmd := exec.Command(binaries[[2]string{"quit", isWoven}], target.URL)
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=quit", "OTEL_EXPORTER_OTLP_ENDPOINT="+b.URL)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("exit code %d, %v\n%s", cmd.ProcessState.ExitCode(), err, out)
	}
	if _, spans := b.spans(); len(spans) != 1 {
		t.Errorf("%d spans, want 1", len(spans))
	}
}
