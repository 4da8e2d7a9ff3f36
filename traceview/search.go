package traceview

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// clause is one condition of the search field: a word if key is empty, else a comparison.
type clause struct {
	key    string // as written, or one of the special keys
	op     string // "=", "!=", "~" (contains), "!~", "<", "<=", ">" or ">="
	value  string // in lower case for words and for "~"
	number float64
	not    bool       // no span of the trace may match
	slow   slowBounds // of a clause with keySlow; see filter.prepare
}

// The keys that do not name a tag. Durations are compared in nanoseconds.
const (
	keyService   = "service"
	keyOperation = "operation"
	keyKind      = "kind"
	keyStatus    = "status"
	keyDuration  = "dur"
	keyError     = "error"
	keyPanic     = "panic"
	keySpans     = "spans"
	keyErrors    = "errors"
	keyPinned    = "pinned"
	keySlow      = "slow"
)

// specialKeys are the names under which the special keys may be written.
var specialKeys = map[string]string{
	"service": keyService, "svc": keyService, "operation": keyOperation, "op": keyOperation, "name": keyOperation,
	"kind": keyKind, "span.kind": keyKind, "status": keyStatus, "dur": keyDuration, "duration": keyDuration,
	"error": keyError, "panic": keyPanic, "spans": keySpans, "errors": keyErrors, "pinned": keyPinned,
	"slow": keySlow,
}

const (
	maxQuery   = 4 << 10 // bytes
	maxClauses = 32
)

var (
	comparison = regexp.MustCompile(`^([\pL\pN_.@$/*-]+)(>=|<=|!=|!~|=|~|>|<|:)(.*)$`)
	negation   = regexp.MustCompile(`^[!-]([\pL\pN_"'].*)$`)
)

// parseSearch reads the search field: words, key=value and the other comparisons, ! before any of them. It returns
// what it could read and says what it could not.
func parseSearch(q string) (clauses []clause, problems []string) {
	if len(q) > maxQuery {
		return nil, []string{fmt.Sprintf("The search is longer than %d bytes.", maxQuery)}
	}
	tokens, closed := splitSearch(q)
	if !closed {
		problems = append(problems, "A quotation mark is not closed.")
	}
	for _, token := range tokens[:min(len(tokens), maxClauses)] {
		c, problem := parseClause(token)
		if problem != "" {
			problems = append(problems, problem)
			continue
		}
		clauses = append(clauses, c)
	}
	if len(tokens) > maxClauses {
		problems = append(problems, fmt.Sprintf("Only the first %d words are used.", maxClauses))
	}
	return clauses, problems
}

// splitSearch divides at blanks outside of quotation marks.
func splitSearch(q string) (tokens []string, closed bool) {
	var token strings.Builder
	quoted := false
	for _, r := range q {
		if r == '"' {
			quoted = !quoted
		}
		if !quoted && (r == ' ' || r == '\t' || r == '\n' || r == '\r') {
			if token.Len() > 0 {
				tokens = append(tokens, token.String())
				token.Reset()
			}
			continue
		}
		token.WriteRune(r)
	}
	if token.Len() > 0 {
		tokens = append(tokens, token.String())
	}
	return tokens, !quoted
}

func parseClause(token string) (c clause, problem string) {
	if m := negation.FindStringSubmatch(token); m != nil {
		c.not, token = true, m[1]
	}
	switch token {
	case keyError, keyPanic, keyPinned, keySlow:
		c.key, c.op, c.value = token, "=", "true"
		return c, ""
	}
	m := comparison.FindStringSubmatch(token)
	if m != nil && m[2] == ":" && specialKeys[m[1]] == "" { // part of an address or of a time
		m = nil
	}
	if m == nil {
		c.value = strings.ToLower(unquote(token))
		return c, ""
	}
	c.key, c.op, c.value = m[1], m[2], unquote(m[3])
	if c.op == ":" {
		c.op = "="
	}
	if special := specialKeys[c.key]; special != "" {
		c.key = special
	}
	return c.check(token)
}

// check completes a comparison or says why it has no meaning.
func (c clause) check(token string) (clause, string) {
	isNumber := c.key == keySpans || c.key == keyErrors
	switch {
	case c.value == "" && (isNumber || c.key == keyDuration):
		return c, fmt.Sprintf("%.100q has no value.", token)
	case c.value == "":
		return c, fmt.Sprintf("%.100q has no value. Use %s=* for any value.", token, c.key)
	case c.key == keyDuration:
		d, err := parseDuration(c.value)
		if err != nil {
			return c, fmt.Sprintf("%.100q is not a duration like 20ms or 1.5s.", c.value)
		}
		c.number = float64(d)
	case isNumber || strings.ContainsAny(c.op, "<>"):
		n, err := strconv.ParseFloat(c.value, 64)
		if err != nil {
			return c, fmt.Sprintf("%.100q compares with a number, and %.100q is none.", token, c.value)
		}
		c.number = n
	}
	if c.op == "~" || c.op == "!~" {
		c.value = strings.ToLower(c.value)
	}
	return c, ""
}

func unquote(s string) string { return strings.ReplaceAll(s, `"`, "") }

// durationOfSpan reports whether the clauses name a span whose duration "dur" then means. Else it means the trace's.
func durationOfSpan(clauses []clause) bool {
	return slices.ContainsFunc(clauses, func(c clause) bool {
		return !c.not && (c.key == keyService || c.key == keyOperation || c.key == keyKind)
	})
}

// ofTrace reports whether the clause is about the trace and not about one of its spans.
func (c *clause) ofTrace(spanDuration bool) bool {
	return c.not || c.key == "" || c.key == keySpans || c.key == keyErrors || c.key == keyPinned ||
		c.key == keyDuration && !spanDuration
}

var (
	idInText   = regexp.MustCompile(`(?i)(?:^|[^0-9a-f])([0-9a-f]{32}|[0-9a-f]{16})(?:$|[^0-9a-f])`)
	uuidInText = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
)

// idsIn returns what may be trace and span ids in a pasted text: a header, a line of a log, JSON or an address.
func idsIn(text string) (ids []string) {
	text = text[:min(len(text), maxQuery)]
	for at := 0; at < len(text); {
		m := idInText.FindStringSubmatchIndex(text[at:])
		if m == nil {
			break
		}
		ids = append(ids, text[at+m[2]:at+m[3]])
		at += m[3]
	}
	return append(ids, uuidInText.FindAllString(text, -1)...)
}

// target is where a search leads if it holds an id: a trace, and one of its spans if span is not 0.
type target struct {
	trace model.TraceID
	span  uint64
}

// minID is how many digits a text needs to be taken for an id, when nothing else is in the search field.
const minID = 8

// wholeID reads a search that is nothing but an id, in any form that people paste.
func wholeID(text string) (model.TraceID, bool) {
	text = strings.TrimSpace(text)
	if len(text) < minID || strings.ContainsAny(text, "=<>") && len(idsIn(text)) == 0 {
		return model.TraceID{}, false
	}
	return parseTraceID(text)
}

// lookFor finds the trace, or the span, whose id a text holds.
func (v *View) lookFor(text string) (to target, ok bool) {
	ids := idsIn(text)
	if id, isID := wholeID(text); isID {
		ids = append(ids, traceHex(id))
	}
	for _, s := range ids {
		if id, isID := parseTraceID(s); isID && !ok {
			found, n := v.store.find(&filter{id: id}, 1)
			if n > 1 {
				return to, false // the low half of several: they are listed
			}
			if n == 1 {
				to.trace, ok = found[0].id, true
			}
		}
	}
	for _, s := range ids {
		id, isID := parseTraceID(s)
		if !isID || id.High != 0 {
			continue
		}
		trace, found := v.store.findSpan(id.Low)
		if found && (!ok || trace == to.trace && id.Low != to.trace.Low) {
			return target{trace, id.Low}, true
		}
	}
	return to, ok
}
