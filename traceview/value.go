package traceview

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// maxPretty bounds the values that are laid out over several lines.
const maxPretty = 64 << 10

// pretty lays out JSON and long SQL over several lines. Whatever else a value is, it stays as it is.
func pretty(key, s string) string {
	if len(s) > maxPretty || strings.Contains(s, "\n") {
		return s
	}
	if trimmed := strings.TrimSpace(s); len(trimmed) > 2 && (trimmed[0] == '{' || trimmed[0] == '[') {
		var b bytes.Buffer
		if json.Indent(&b, []byte(trimmed), "", "  ") == nil {
			return b.String()
		}
	}
	if len(s) > 60 && isStatement(key, s) {
		return breakSQL(s)
	}
	return s
}

func isStatement(key, s string) bool {
	return key == "db.statement" || key == "db.query.text" || sqlStart.MatchString(s)
}

var (
	sqlStart  = regexp.MustCompile(`^(?i)\s*(select|insert\s+into|update|delete\s+from|with)\s`)
	sqlClause = regexp.MustCompile(`(?i)\s+(from|where|group\s+by|order\s+by|having|limit|offset|values|set|returning|` +
		`union|on\s+conflict|(?:left\s+|right\s+|inner\s+|outer\s+|cross\s+|full\s+)*join)\b|` +
		`\s+(and|or)\b|'(?:[^']|'')*'|"[^"]*"`)
)

// breakSQL begins a line with each clause. Text in quotation marks stays as it is.
func breakSQL(s string) string {
	return sqlClause.ReplaceAllStringFunc(strings.TrimSpace(s), func(part string) string {
		if part[0] == '\'' || part[0] == '"' {
			return part
		}
		word := strings.TrimSpace(part)
		if lower := strings.ToLower(word); lower == "and" || lower == "or" {
			return "\n  " + word
		}
		return "\n" + word
	})
}

// splitStack divides the stack of a panic into the frames of the program, from the one that panicked on, and those of
// the runtime and the kit before it, which every panic has.
func splitStack(s string) (before, stack string) {
	lines := strings.SplitAfter(s, "\n")
	first := 0
	if len(lines) > 0 && strings.HasPrefix(lines[0], "goroutine ") {
		first = 1
	}
	cut := first
	for i := first; i+1 < len(lines); i++ {
		if strings.HasPrefix(lines[i], "panic(") { // the panic itself; what is above it recovered it
			cut = i + 2
		}
	}
	for cut+1 < len(lines) && isMachinery(lines[cut]) {
		cut += 2
	}
	if cut >= len(lines) || strings.TrimSpace(strings.Join(lines[cut:], "")) == "" {
		return "", s
	}
	return strings.Join(lines[:cut], ""), strings.Join(lines[cut:], "")
}

// isMachinery reports whether a frame is of Go's runtime or of the kit.
func isMachinery(frame string) bool {
	for _, prefix := range []string{"runtime.", "runtime/debug.", "panic(", "github.com/spanloom/spanloom/httpmw.",
		"github.com/spanloom/spanloom/grpcmw.", "github.com/spanloom/spanloom/internal/"} {
		if strings.HasPrefix(frame, prefix) {
			return true
		}
	}
	return false
}

func isStack(key string) bool {
	return key == "stack" || key == "exception.stacktrace"
}
