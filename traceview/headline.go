package traceview

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// headline says what happened in a trace: what stands beside the name of its first span.
type headline struct {
	Status     string // "200" or "NOT_FOUND"; "" if the first span has none
	StatusKind string // "ok", "warn" or "err"
	Path       string // requested path, if the name does not show it
	Error      string // text of the error that came first
	Repeats    []repeat
}

// repeat is a group of equal siblings, such as a query that runs once for each row of another one.
type repeat struct {
	Name  string
	Count int
	Took  string // from the start of the first to the end of the last
}

const (
	minRepeat   = 5 // equal siblings that make a group
	maxRepeats  = 2 // groups shown in the list
	maxHeadline = 160
)

func (s *snapshot) headline() headline {
	h := headline{Repeats: repeatsOf(s.list)}
	if s.root != nil {
		h.Status, h.StatusKind = statusOf(s.root)
		h.Path = pathOf(s.root)
	}
	if s.failed > 0 {
		h.Error = firstError(s.list)
	}
	return h
}

// statusOf returns the status of an HTTP or gRPC request and how bad it is.
func statusOf(sp *span) (status, kind string) {
	for _, key := range statusKeys {
		v, ok := sp.tag(key)
		if !ok {
			continue
		}
		status = text(v)
		n, err := strconv.Atoi(status)
		switch {
		case strings.Contains(key, "grpc") || strings.HasPrefix(key, "rpc."):
			if err == nil && n >= 0 && n < len(grpcCodes) {
				status = grpcCodes[n]
			}
			kind = "warn"
			if status == "OK" {
				kind = "ok"
			}
		case n >= 500:
			kind = "err"
		case n >= 400:
			kind = "warn"
		default:
			kind = "ok"
		}
		if sp.failed {
			kind = "err"
		}
		return model.Cut(status, 32), kind
	}
	return "", ""
}

// grpcCodes are the names of https://grpc.io/docs/guides/status-codes/ by number.
var grpcCodes = [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
	"ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}

func (s *span) tag(key string) (model.Value, bool) {
	for i := range s.Tags {
		if s.Tags[i].Key == key {
			return s.Tags[i].Value, true
		}
	}
	return model.Value{}, false
}

// pathOf returns the path and query of the request unless the name of the span ends in it.
func pathOf(sp *span) string {
	for _, key := range []string{"http.url", "url.full", "http.target", "url.path", "http.path"} {
		v, ok := sp.tag(key)
		if !ok {
			continue
		}
		u, err := url.Parse(text(v))
		if err != nil {
			return ""
		}
		path := u.EscapedPath()
		if u.RawQuery != "" {
			path += "?" + u.RawQuery
		}
		if sp.kind == "client" && u.Host != "" {
			path = u.Host + path
		}
		if path == "" || strings.HasSuffix(sp.Name, " "+path) || sp.Name == path {
			return ""
		}
		return clip(path, maxHeadline)
	}
	return ""
}

// firstError returns the text of the failed span that ended first, or of the next one that has a text.
func firstError(spans []*span) string {
	var failed []*span
	for _, sp := range spans {
		if sp.failed {
			failed = append(failed, sp)
		}
	}
	slices.SortStableFunc(failed, func(a, b *span) int {
		return a.Start.Add(a.Duration).Compare(b.Start.Add(b.Duration))
	})
	for _, sp := range failed {
		if s := errorText(sp); s != "" {
			return s
		}
	}
	return ""
}

var errorTextKeys = []string{"message", "exception.message", "error.message", semconv.KeyStatusDescription,
	"error.object", "event.message"}

// errorText returns what a span says of its error, in one bounded line.
func errorText(sp *span) string {
	for _, key := range errorTextKeys {
		for i := range sp.Logs {
			for _, f := range sp.Logs[i].Fields {
				if f.Key == key && f.Value.Str() != "" && isErrorLog(sp.Logs[i].Fields) {
					return oneLine(f.Value.Str())
				}
			}
		}
		if v, ok := sp.tag(key); ok && v.Str() != "" {
			return oneLine(v.Str())
		}
	}
	return ""
}

func isErrorLog(fields []model.Tag) bool {
	return slices.ContainsFunc(fields, func(t model.Tag) bool {
		s := t.Value.Str()
		return (t.Key == "event" || t.Key == "name") && (s == "error" || s == "exception") ||
			t.Key == "level" && strings.EqualFold(s, "error") || t.Key == semconv.KeyErrorKind || t.Key == "error.object"
	})
}

func oneLine(s string) string {
	return clip(strings.Join(strings.Fields(model.Cut(s, 1<<10)), " "), maxHeadline)
}

// clip cuts a text to n bytes and says so.
func clip(s string, n int) string {
	if cut := model.Cut(s, n); len(cut) < len(s) {
		return cut + "…"
	}
	return s
}

type siblingKey struct {
	parent        uint64
	service, name string
}

// repeatsOf finds the largest groups of siblings with the same service and name.
func repeatsOf(spans []*span) (out []repeat) {
	if len(spans) <= minRepeat {
		return nil
	}
	type group struct {
		siblingKey
		count      int
		start, end time.Time
	}
	groups := map[siblingKey]*group{}
	for _, sp := range spans {
		if sp.ParentID == 0 {
			continue
		}
		key := siblingKey{sp.ParentID, sp.process.Service, sp.Name}
		g := groups[key]
		if g == nil {
			g = &group{siblingKey: key, start: sp.Start}
			groups[key] = g
		}
		g.count++
		if sp.Start.Before(g.start) {
			g.start = sp.Start
		}
		if end := sp.Start.Add(sp.Duration); end.After(g.end) {
			g.end = end
		}
	}
	var large []*group
	for _, g := range groups {
		if g.count >= minRepeat {
			large = append(large, g)
		}
	}
	slices.SortFunc(large, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name), cmp.Compare(a.parent, b.parent))
	})
	for _, g := range large[:min(len(large), maxRepeats)] {
		out = append(out, repeat{clip(g.name, 60), g.count, showDuration(g.end.Sub(g.start))})
	}
	return out
}
