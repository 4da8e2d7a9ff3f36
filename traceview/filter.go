package traceview

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// filter selects traces. What it says about spans must hold for one and the same span of the trace.
type filter struct {
	id          model.TraceID
	badID       bool
	service     string
	operation   string
	tags        []tagFilter
	failed      bool
	minSpan     time.Duration
	maxSpan     time.Duration
	minTrace    time.Duration
	from, until time.Time // of the spans' start
	clauses     []clause
	order       order
}

type tagFilter struct {
	key, value string
	any        bool // any value
}

// listFilter reads the filter of the list page from its address; bad values come back as messages.
func listFilter(q url.Values) (f filter, problems []string) {
	f.service, f.operation = q.Get("service"), q.Get("operation")
	f.failed = q.Get("errors") != ""
	f.order = parseOrder(q.Get("sort"))
	f.clauses, problems = parseSearch(q.Get("q"))
	for _, s := range q["tag"] {
		f.tags = append(f.tags, parseTags(s)...)
	}
	if s := strings.TrimSpace(q.Get("min")); s != "" {
		d, err := parseDuration(s)
		if err != nil {
			problems = append(problems, fmt.Sprintf("Minimum duration %q is not a duration like 20ms or 1.5s.", s))
		}
		f.minTrace = d
	}
	if s := strings.TrimSpace(q.Get("trace")); s != "" {
		id, ok := parseTraceID(s)
		if !ok {
			problems = append(problems, fmt.Sprintf("%q holds no trace id.", s))
			f.badID = true
		}
		f.id = id
	}
	return f, problems
}

// parseDuration is time.ParseDuration that takes a bare number as milliseconds.
func parseDuration(s string) (time.Duration, error) {
	s = strings.ReplaceAll(s, " ", "")
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	return time.ParseDuration(s + "ms")
}

// parseTags reads key=value pairs divided by blanks; a value may be quoted, and words without "=" belong to the value
// before them. A key alone matches the tag with any value.
func parseTags(s string) (tags []tagFilter) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if end := strings.IndexAny(s, "= "); end < 0 || s[end] == ' ' {
			word := s
			if end >= 0 {
				word = s[:end]
			}
			s = s[len(word):]
			if n := len(tags); n > 0 && !tags[n-1].any {
				tags[n-1].value += " " + word
			} else {
				tags = append(tags, tagFilter{key: word, any: true})
			}
			continue
		}
		key, rest, _ := strings.Cut(s, "=")
		value := rest
		if end := strings.IndexByte(rest[min(1, len(rest)):], '"'); strings.HasPrefix(rest, `"`) && end >= 0 {
			value, s = rest[1:end+1], rest[end+2:]
		} else {
			value, _, _ = strings.Cut(rest, " ")
			s = rest[len(value):]
		}
		tags = append(tags, tagFilter{key: key, value: value})
	}
	return tags
}

// prepare sets what the filter needs to know of the store. It is called before match.
func (f *filter) prepare(s *store) {
	for i := range f.clauses {
		if c := &f.clauses[i]; c.key == keySlow {
			c.slow = s.slowness()
		}
	}
}

// match reports whether the trace matches.
func (f *filter) match(snap *snapshot) bool {
	if f.badID || f.id != (model.TraceID{}) && f.id != snap.id && (f.id.High != 0 || f.id.Low != snap.id.Low) {
		return false
	}
	if f.minTrace > 0 && snap.duration() < f.minTrace || f.failed && snap.failed == 0 {
		return false
	}
	spanDuration := durationOfSpan(f.clauses)
	for i := range f.clauses {
		if c := &f.clauses[i]; c.ofTrace(spanDuration) && !c.matchTrace(snap) {
			return false
		}
	}
	for _, sp := range snap.list {
		if f.matchSpan(sp, spanDuration) {
			return true
		}
	}
	return false
}

func (f *filter) matchSpan(sp *span, spanDuration bool) bool {
	if f.service != "" && sp.process.Service != f.service || f.operation != "" && sp.Name != f.operation {
		return false
	}
	if f.failed && !sp.failed || sp.Duration < f.minSpan || f.maxSpan > 0 && sp.Duration > f.maxSpan {
		return false
	}
	if !f.from.IsZero() && sp.Start.Before(f.from) || !f.until.IsZero() && sp.Start.After(f.until) {
		return false
	}
	for i := range f.clauses {
		if c := &f.clauses[i]; !c.ofTrace(spanDuration) && !c.matchSpan(sp) {
			return false
		}
	}
	for i := range f.tags {
		if !f.tags[i].matchSpan(sp) {
			return false
		}
	}
	return true
}

func (f *tagFilter) matchSpan(sp *span) bool {
	if f.matchAny(sp.Tags) || f.matchAny(sp.process.Tags) {
		return true
	}
	for i := range sp.Logs {
		if f.matchAny(sp.Logs[i].Fields) {
			return true
		}
	}
	return false
}

func (f *tagFilter) matchAny(tags []model.Tag) bool {
	for i := range tags {
		if tags[i].Key == f.key && (f.any || text(tags[i].Value) == f.value) {
			return true
		}
	}
	return false
}

// narrows reports whether the filter leaves anything out.
func (f *filter) narrows() bool {
	return f.id != (model.TraceID{}) || f.badID || f.service != "" || f.operation != "" || f.failed ||
		len(f.tags) > 0 || len(f.clauses) > 0 || f.minTrace > 0
}
