package tracerinit_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/tracerinit"
)

// TestTheDocumentListsEveryVariableThatIsRead compares the tables of docs/configuration.md with what Start looks up.
func TestTheDocumentListsEveryVariableThatIsRead(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(text), "\n## Variables")
	tables, _, _ = strings.Cut(tables, "\n## Where")
	documented := map[string]bool{}
	for line := range strings.Lines(tables) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell := strings.SplitN(line, "|", 3)[1]
		for _, name := range regexp.MustCompile("`([A-Z0-9_]+)`").FindAllStringSubmatch(cell, -1) {
			if documented[name[1]] {
				t.Errorf("%s is listed twice", name[1])
			}
			documented[name[1]] = true
		}
	}
	read := map[string]bool{}
	for _, v := range append(slices.Clone(variables), variables[0]) {
		set := env(append(v.with, v.name+"="+v.value)...)
		tracerinit.Resolve(tracerinit.Config{LookupEnv: func(name string) (string, bool) {
			read[name] = true
			return set(name)
		}})
	}
	if diff := gocmp.Diff(read, documented); diff != "" {
		t.Errorf("(-read +documented):\n%s", diff)
	}
}

// TestEveryVariableHasARow makes sure that the tests about all variables miss none.
func TestEveryVariableHasARow(t *testing.T) {
	rows := map[string]bool{"OTEL_CONFIG_FILE": true, "OTEL_EXPERIMENTAL_CONFIG_FILE": true}
	for _, v := range variables {
		rows[v.name] = true
	}
	read := map[string]bool{}
	tracerinit.Resolve(tracerinit.Config{LookupEnv: func(name string) (string, bool) {
		read[name] = true
		return "", false
	}})
	for name := range read {
		if !rows[name] {
			t.Errorf("%s is read and has no row", name)
		}
	}
}
