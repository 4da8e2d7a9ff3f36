package spanloom_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README's first code is the text of a compiled Example, but for the reporter that keeps the Example off the
// network.
func TestReadmeShowsTheCompiledExample(t *testing.T) {
	code := read(t, "example_test.go")
	_, code, _ = strings.Cut(code, "func Example() {\n")
	code, _, _ = strings.Cut(code, "\n\n\tuse(")
	code = strings.ReplaceAll(code, ", Reporters: reporters", "")
	code = strings.ReplaceAll("\n"+code, "\n\t", "\n")
	if readme := read(t, "README.md"); !strings.Contains(readme, "```go"+code+"\n```") {
		t.Errorf("README.md lacks the text of Example:\n%s", code)
	}
}

// The code of docs/options.md is that of compiled Examples.
func TestTheOptionsPageShowsCompiledExamples(t *testing.T) {
	indentation := regexp.MustCompile(`(?m)^\t+`)
	compiled := indentation.ReplaceAllString(read(t, "options_example_test.go"), "")
	blocks := strings.Split(read(t, "docs/options.md"), "```go\n")[1:]
	if len(blocks) < 6 {
		t.Errorf("%d pieces of code, want one for each Example", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(compiled, indentation.ReplaceAllString(code, "")) {
			t.Errorf("no Example has the code\n%s", code)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
