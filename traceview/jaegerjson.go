package traceview

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
)

// The JSON of Jaeger's query API and of the files that its UI opens.
type (
	jaegerTrace struct {
		TraceID   string                   `json:"traceID"`
		Spans     []jaegerSpan             `json:"spans"`
		Processes map[string]jaegerProcess `json:"processes"`
		Warnings  []string                 `json:"warnings"`
	}
	jaegerSpan struct {
		TraceID       string      `json:"traceID"`
		SpanID        string      `json:"spanID"`
		Flags         byte        `json:"flags,omitempty"`
		OperationName string      `json:"operationName"`
		References    []jaegerRef `json:"references"`
		StartTime     int64       `json:"startTime"`
		Duration      int64       `json:"duration"`
		Tags          []jaegerTag `json:"tags"`
		Logs          []jaegerLog `json:"logs"`
		ProcessID     string      `json:"processID"`
		Warnings      []string    `json:"warnings"`
	}
	jaegerRef struct {
		RefType string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	}
	jaegerTag struct {
		Key   string `json:"key"`
		Type  string `json:"type"`
		Value any    `json:"value"`
	}
	jaegerLog struct {
		Timestamp int64       `json:"timestamp"`
		Fields    []jaegerTag `json:"fields"`
	}
	jaegerProcess struct {
		ServiceName string      `json:"serviceName"`
		Tags        []jaegerTag `json:"tags"`
	}
)

// tagTraceState is the tag in which Jaeger carries W3C's tracestate, for which its model has no field.
const tagTraceState = "w3c.tracestate"

func (s *snapshot) jaeger() jaegerTrace {
	t := jaegerTrace{
		TraceID:   jaegerHex(s.id),
		Spans:     make([]jaegerSpan, 0, len(s.list)),
		Processes: map[string]jaegerProcess{},
	}
	if s.cut > 0 {
		t.Warnings = []string{cutWarning(s.cut)}
	}
	ids := map[string]string{}
	for _, sp := range s.list {
		id := ids[sp.process.key]
		if id == "" {
			id = "p" + strconv.Itoa(len(ids)+1)
			ids[sp.process.key] = id
			t.Processes[id] = jaegerProcess{sp.process.Service, jaegerTags(sp.process.Tags)}
		}
		t.Spans = append(t.Spans, sp.jaeger(id))
	}
	return t
}

func (s *span) jaeger(process string) jaegerSpan {
	js := jaegerSpan{
		TraceID:       jaegerHex(s.TraceID),
		SpanID:        spanHex(s.SpanID),
		Flags:         s.Flags,
		OperationName: s.Name,
		References:    []jaegerRef{},
		StartTime:     s.Start.UnixMicro(),
		Duration:      s.Duration.Microseconds(),
		Tags:          jaegerTags(s.Tags),
		Logs:          make([]jaegerLog, 0, len(s.Logs)),
		ProcessID:     process,
		Warnings:      s.warnings,
	}
	if s.TraceState != "" {
		js.Tags = append(js.Tags, jaegerTag{tagTraceState, "string", s.TraceState})
	}
	for _, r := range s.references() {
		js.References = append(js.References, jaegerRef{refName(r.Type), jaegerHex(r.TraceID), spanHex(r.SpanID)})
	}
	for i := range s.Logs {
		l := &s.Logs[i]
		js.Logs = append(js.Logs, jaegerLog{l.Time.UnixMicro(), jaegerTags(l.Fields)})
	}
	return js
}

// references are all references of the span, the one to its parent first.
func (s *span) references() []model.Ref {
	if s.ParentID == 0 {
		return s.Refs
	}
	for _, r := range s.Refs {
		if r.SpanID == s.ParentID && r.TraceID == s.TraceID {
			return s.Refs
		}
	}
	return append([]model.Ref{{Type: model.ChildOf, TraceID: s.TraceID, SpanID: s.ParentID}}, s.Refs...)
}

func refName(t model.RefType) string {
	if t == model.FollowsFrom {
		return "FOLLOWS_FROM"
	}
	return "CHILD_OF"
}

func jaegerTags(tags []model.Tag) []jaegerTag {
	out := make([]jaegerTag, len(tags))
	for i, t := range tags {
		out[i] = jaegerValue(t)
	}
	return out
}

// maxSafe is the largest integer that JavaScript reads exactly; larger ones travel as text.
const maxSafe = 1<<53 - 1

func jaegerValue(t model.Tag) jaegerTag {
	v := t.Value
	switch v.Kind() {
	case model.KindBool:
		return jaegerTag{t.Key, "bool", v.Bool()}
	case model.KindInt:
		if n := v.Int(); n >= -maxSafe && n <= maxSafe {
			return jaegerTag{t.Key, "int64", n}
		}
		return jaegerTag{t.Key, "int64", text(v)}
	case model.KindFloat:
		if f := v.Float(); finite(f) {
			return jaegerTag{t.Key, "float64", f}
		}
		return jaegerTag{t.Key, "float64", text(v)}
	case model.KindBytes:
		return jaegerTag{t.Key, "binary", text(v)}
	}
	return jaegerTag{t.Key, "string", v.Str()}
}

func cutWarning(n int) string {
	return "this trace was cut: " + plural(n, "span") + " over the limit of " + strconv.Itoa(maxSpans) +
		" spans or of its share of the memory are not kept"
}
