package layouts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository as a program's go.mod finds it.
const root = "github.com/spanloom/spanloom"

// TestLayouts weaves programs in the ways that modules are laid out, by the lines of docs/weaving.md.
func TestLayouts(t *testing.T) {
	start, build, older := docsBlock(t, "printf"), docsBlock(t, "export DD_"), docsBlock(t, "mkdir -p weaving")
	for name, tt := range map[string]struct {
		goLine, before, after string
		want                  string
	}{
		"module":           {"1.26.0", start, "", "0 1, traced 1\n"},
		"vendored module":  {"1.26.0", start, "go mod vendor", "0 1, traced 1\n"},
		"workspace":        {"1.26.0", "go work init .\n" + start, "", "0 1, traced 1\n"},
		"go line is older": {"1.21", older, "export GOWORK=$PWD/weaving/go.work", "2 2, traced 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			goMod := writeOld(t, dir, tt.goLine)
			if got := plain(t, dir); got != strings.Replace(tt.want, "traced 1", "traced 0", 1) {
				t.Errorf("the program that is not woven prints %q", got)
			}
			shell(t, dir, tt.before)
			shell(t, dir, tt.after+"\n"+strings.Replace(build, "go build ./...", "go build -o woven .", 1))
			if got := output(t, dir, "./woven"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if strings.Contains(tt.before, "weaving") {
				if now := read(t, filepath.Join(dir, "go.mod")); now != goMod {
					t.Errorf("go.mod is now\n%s", now)
				}
				if got := plain(t, dir); !strings.HasSuffix(got, "traced 0\n") {
					t.Errorf("a plain build now prints %q", got)
				}
			}
		})
	}
}

// docsBlock returns the shell block of docs/weaving.md that begins so.
func docsBlock(t *testing.T, begin string) string {
	t.Helper()
	for _, block := range strings.Split(read(t, "../../../docs/weaving.md"), "```sh\n")[1:] {
		if strings.HasPrefix(block, begin) {
			return strings.SplitN(block, "```", 2)[0]
		}
	}
	t.Fatalf("docs/weaving.md has no block that begins with %q", begin)
	return ""
}

// writeOld writes program old as a module, with the sums that it will need, and returns its go.mod.
func writeOld(t *testing.T, dir, goLine string) (goMod string) {
	t.Helper()
	goMod = fmt.Sprintf("module example.com/old\n\ngo %s\n", goLine)
	if goLine != "1.21" {
		goMod += replaces(t)
	}
	for name, text := range map[string]string{
		"go.mod": goMod, "go.sum": read(t, "../go.sum"), "tools/go.sum": read(t, "../tools/go.sum"), "weaving/go.sum": read(t, "../go.sum"),
		"main.go": read(t, "testdata/old/main.go"),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return goMod
}

// replaces are for the modules of this repository.
func replaces(t *testing.T) (lines string) {
	t.Helper()
	repository, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"", "/tracerinit/jaegercfg", "/weave"} {
		lines += fmt.Sprintf("\nreplace %s%s => %s%s\n", root, module, repository, module)
	}
	return lines
}

// shell runs the lines of a script, in which go.mod of weaving gets the replacements.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	first, rest, _ := strings.Cut(script, "\n")
	if strings.Contains(first, "> weaving/go.mod") {
		first += fmt.Sprintf(" && printf '%s' >> weaving/go.mod", replaces(t))
	}
	// The modules of this repository are replaced, so that there is no newest version to get.
	script = strings.ReplaceAll(first+"\n"+rest, "go get "+root+"/weave", "go mod edit -require="+root+"/weave@v0.0.0")
	output(t, dir, "sh", "-ec", script)
}

// plain returns what the program prints that is built without the weaver.
func plain(t *testing.T, dir string) string {
	t.Helper()
	return output(t, dir, "go", "run", ".")
}

// output returns what a command prints.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, new(strings.Builder)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=", "OTEL_TRACES_EXPORTER=none", "PWD="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, cmd.Stderr)
	}
	return string(out)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
