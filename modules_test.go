package spanloom_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// floors are what a program that requires the root module is raised to, at the least: the lowest versions that pass the tests.
// VERSIONING.md shows them. Raising one is a change that users notice; the CHANGELOG says so.
var floors = map[string]string{
	"github.com/cenkalti/backoff/v5":                  "v5.0.2",
	"github.com/felixge/httpsnoop":                    "v1.1.0",
	"github.com/go-chi/chi/v5":                        "v5.2.5",
	"github.com/grpc-ecosystem/go-grpc-middleware/v2": "v2.1.0",
	"github.com/opentracing/opentracing-go":           "v1.2.0",
	"github.com/uber/jaeger-client-go":                "v2.30.0+incompatible",
	"github.com/uber/jaeger-lib":                      "v2.4.1+incompatible",
	"go.uber.org/atomic":                              "v1.9.0",
	"golang.org/x/net":                                "v0.29.0",
	"golang.org/x/sys":                                "v0.25.0",
	"golang.org/x/text":                               "v0.18.0",
	"google.golang.org/genproto/googleapis/rpc":       "v0.0.0-20240903143218-8af14fe29dc1",
	"google.golang.org/grpc":                          "v1.68.0",
	"google.golang.org/protobuf":                      "v1.34.2",

	// for tests only, but every user's build is raised to them, too
	"github.com/HdrHistogram/hdrhistogram-go": "v1.1.2",
	"github.com/google/go-cmp":                "v0.6.0",
	"go.opentelemetry.io/proto/otlp":          "v1.3.1",
	"go.uber.org/goleak":                      "v1.3.0",
}

// goFloor is the lowest Go that builds the root module.
const goFloor = "1.25.0"

func TestUsersAreRaisedToTheFloorsOnly(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod := "module example.com/user\n\ngo " + goFloor + "\n\nrequire github.com/spanloom/spanloom v0.0.0\n\n" +
		"replace github.com/spanloom/spanloom => " + strconv.Quote(filepath.ToSlash(root)) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		t.Fatal(err)
	}
	raised := make(map[string]string)
	list := runGo(t, dir, "list", "-m", "-mod=mod", "-f", "{{if not (or .Main .Replace)}}{{.Path}} {{.Version}}{{end}}", "all")
	for line := range strings.Lines(list) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		raised[path] = version
	}
	if diff := cmp.Diff(floors, raised); diff != "" {
		t.Errorf("a module that requires the root is not raised to the floors, -want +got:\n%s", diff)
	}
	if got := strings.TrimSpace(runGo(t, dir, "list", "-m", "-mod=mod", "-f", "{{.GoVersion}}")); got != goFloor {
		t.Errorf("a module that requires the root asks for go %s, want %s", got, goFloor)
	}
}

func TestRootRequiresTheFloors(t *testing.T) {
	var mod struct {
		Go      string
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(runGo(t, ".", "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	required := make(map[string]string)
	for _, r := range mod.Require {
		required[r.Path] = r.Version
	}
	if diff := cmp.Diff(floors, required); diff != "" {
		t.Errorf("go.mod is not at the floors, -want +got:\n%s", diff)
	}
	if mod.Go != goFloor {
		t.Errorf("go.mod says go %s, want %s", mod.Go, goFloor)
	}
}

func TestVersioningShowsTheFloors(t *testing.T) {
	text := read(t, "VERSIONING.md")
	for _, path := range []string{
		"google.golang.org/grpc", "github.com/grpc-ecosystem/go-grpc-middleware/v2", "google.golang.org/protobuf",
		"google.golang.org/genproto/googleapis/rpc", "golang.org/x/net", "github.com/go-chi/chi/v5",
		"github.com/felixge/httpsnoop", "github.com/cenkalti/backoff/v5",
	} {
		if row := "| " + path + " | " + floors[path] + " |"; !strings.Contains(text, row) {
			t.Errorf("VERSIONING.md lacks the row %q", row)
		}
	}
	if !strings.Contains(text, "| Go | "+goFloor+" |") {
		t.Error("VERSIONING.md lacks the row of Go")
	}
}

// runGo runs the go command as a user's machine does, without what a CI job has set.
func runGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
