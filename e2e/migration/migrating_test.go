// Package migration_test moves small programs from the stock client and its middlewares to the kit, and compares what
// arrives.
package migration_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheTablesOfTheDocumentCompile finds every piece of code in the tables of docs/migrating.md in package rows, which
// the compiler has read. Pieces that are no expression of Go, and those of packages that cannot be built here, are
// left.
func TestTheTablesOfTheDocumentCompile(t *testing.T) {
	document, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("rows/*.go")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	compiled := squeeze(code.String())
	piece := regexp.MustCompile("`([^`]+)`")
	expression := regexp.MustCompile(`(config|cfg|jaegercfg|tracerinit|carrier|nethttp|httpmw|otgrpc|grpcmw|otelhttp|otelchi|` +
		`otelgrpc|logging)\.\w+\(.*\)`)
	found := 0
	for line := range strings.Lines(string(document)) {
		if !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") {
			continue
		}
		pieces := piece.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "    ") {
			pieces = [][]string{{"", strings.TrimSpace(line)}}
		}
		for _, p := range pieces {
			if !expression.MatchString(p[1]) || strings.Contains(p[1], "…") || uncompiled[p[1]] {
				continue
			}
			found++
			if !strings.Contains(compiled, squeeze(p[1])) {
				t.Errorf("not in package rows: %s", p[1])
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d pieces of code are found", found)
	}
}

// uncompiled are pieces that look like expressions and are none of the rows'.
var uncompiled = map[string]bool{
	"config.Reporter(r)": true, "config.Logger(l)": true, "config.PoolSpans(true)": true, "config.Sampler(s)": true,
	"config.ContribObserver(o)": true, "carrier.TraceID(span.Context())": true,
	`tracerinit.Start(tracerinit.Config{Service: "shop"})`: true, // the other side is not built
	"tracerinit.Start(kit)":                                true,
}

// squeeze removes what the formatting of code adds.
func squeeze(code string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\n", "", ",}", "}", ",)", ")").Replace(code)
}
