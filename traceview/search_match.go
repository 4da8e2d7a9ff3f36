package traceview

import (
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// statusKeys are the tags that "status" means.
var statusKeys = []string{
	"http.status_code", "http.response.status_code", "grpc.status_code", "rpc.grpc.status_code",
	"rpc.response.status_code", "grpc.code", "http.status", "status.code",
}

// matchTrace reports whether what the clause says about a trace holds.
func (c *clause) matchTrace(snap *snapshot) bool {
	if c.not {
		positive := *c
		positive.not = false
		if positive.ofTrace(true) {
			return !positive.matchTrace(snap)
		}
		return !positive.matchAnySpan(snap.list)
	}
	switch c.key {
	case "":
		return c.matchAnySpan(snap.list)
	case keySpans:
		return c.compare(float64(snap.spans))
	case keyErrors:
		return c.compare(float64(snap.failed))
	case keyPinned:
		return c.value == "*" || c.matchText(strconv.FormatBool(snap.pinned))
	case keyDuration:
		return c.compare(float64(snap.duration()))
	}
	return true
}

func (c *clause) matchAnySpan(spans []*span) bool {
	for _, sp := range spans {
		if c.matchSpan(sp) {
			return true
		}
	}
	return false
}

// matchSpan reports whether the clause holds for one span.
func (c *clause) matchSpan(sp *span) bool {
	switch c.key {
	case "":
		return sp.contains(c.value)
	case keyService:
		return c.matchText(sp.process.Service)
	case keyOperation:
		return c.matchText(sp.Name)
	case keyKind:
		return c.matchText(sp.kind)
	case keyDuration:
		return c.compare(float64(sp.Duration))
	case keyError, keyPanic, keySlow:
		is := sp.failed
		switch c.key {
		case keyPanic:
			is = sp.panicked
		case keySlow:
			is = c.slow.isSlow(sp)
		}
		return c.value == "*" || c.matchText(strconv.FormatBool(is))
	case keyStatus:
		for _, key := range statusKeys {
			if c.matchTag(sp, key) {
				return true
			}
		}
		return false
	}
	return c.matchTag(sp, c.key)
}

// matchTag looks at the tags of the span, of its process and of its logs.
func (c *clause) matchTag(sp *span, key string) bool {
	if c.matchTags(sp.Tags, key) || c.matchTags(sp.process.Tags, key) {
		return true
	}
	for i := range sp.Logs {
		if c.matchTags(sp.Logs[i].Fields, key) {
			return true
		}
	}
	return false
}

func (c *clause) matchTags(tags []model.Tag, key string) bool {
	for i := range tags {
		if tags[i].Key == key && c.matchValue(tags[i].Value) {
			return true
		}
	}
	return false
}

func (c *clause) matchValue(v model.Value) bool {
	switch c.op {
	case "<", "<=", ">", ">=":
		f, err := strconv.ParseFloat(text(v), 64)
		return err == nil && c.compare(f)
	}
	return c.matchText(text(v))
}

func (c *clause) matchText(s string) bool {
	switch c.op {
	case "=":
		return c.value == "*" || s == c.value
	case "!=":
		return s != c.value
	case "~":
		return containsFold(s, c.value)
	case "!~":
		return !containsFold(s, c.value)
	}
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && c.compare(f)
}

func (c *clause) compare(f float64) bool {
	switch c.op {
	case "<":
		return f < c.number
	case "<=":
		return f <= c.number
	case ">":
		return f > c.number
	case ">=":
		return f >= c.number
	case "!=":
		return f != c.number
	}
	return f == c.number
}

// contains reports whether a word, in lower case, is part of a name, a tag or a log of the span.
func (sp *span) contains(word string) bool {
	if containsFold(sp.Name, word) || containsFold(sp.process.Service, word) ||
		tagsContain(sp.Tags, word) || tagsContain(sp.process.Tags, word) {
		return true
	}
	for i := range sp.Logs {
		if tagsContain(sp.Logs[i].Fields, word) {
			return true
		}
	}
	return false
}

func tagsContain(tags []model.Tag, word string) bool {
	for i := range tags {
		if containsFold(tags[i].Key, word) || containsFold(text(tags[i].Value), word) {
			return true
		}
	}
	return false
}

// containsFold reports whether s contains a word that is in lower case already.
func containsFold(s, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 0x80 {
			return strings.Contains(strings.ToLower(s), word)
		}
	}
	return strings.Contains(s, word)
}
