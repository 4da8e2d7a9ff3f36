package traceview

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

var errNoTrace = errors.New("this JSON is neither a trace of Jaeger's UI nor OTLP nor Zipkin's spans")

// decodeJaegerJSON reads what Jaeger's UI and its query API write: {"data": [trace, …]}, or one trace, or an array.
func decodeJaegerJSON(body []byte) ([]model.Batch, error) {
	var file struct {
		Data []jaegerFileTrace `json:"data"`
		jaegerFileTrace
	}
	var traces []jaegerFileTrace
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(body, &traces); err != nil {
			return nil, unreadable("Jaeger JSON", err)
		}
	} else {
		if err := json.Unmarshal(body, &file); err != nil {
			return nil, unreadable("Jaeger JSON", err)
		}
		traces = append(file.Data, file.jaegerFileTrace)
	}
	b := jaegerBuilder{batches: map[string]*model.Batch{}}
	for i := range traces {
		if err := b.add(&traces[i]); err != nil {
			return nil, err
		}
	}
	if b.spans == 0 {
		return nil, errNoTrace
	}
	out := make([]model.Batch, 0, len(b.order))
	for _, key := range b.order {
		out = append(out, *b.batches[key])
	}
	return out, nil
}

// unreadable names the field that is wrong as the file does. Releases of Go differ in what they know: from 1.27 on, the
// path to a field has the positions in lists, and no names for what should be a [json.Number].
func unreadable(what string, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("this %s cannot be read: %w", what, err)
	}
	field := wrong.Field
	if strings.Trim(field, "0123456789.") == "" {
		if wrong.Type != reflect.TypeFor[json.Number]() {
			return errNoTrace
		}
		field = "a number"
	}
	return fmt.Errorf("this %s cannot be read: %s is a %s", what, field, wrong.Value)
}

// jaegerFileTrace is a jaegerTrace whose numbers are kept as they are written.
type jaegerFileTrace struct {
	Spans     []jaegerFileSpan             `json:"spans"`
	Processes map[string]jaegerFileProcess `json:"processes"`
}

type jaegerFileSpan struct {
	TraceID       string             `json:"traceID"`
	SpanID        string             `json:"spanID"`
	ParentSpanID  string             `json:"parentSpanID"` // of old files
	Flags         byte               `json:"flags"`
	OperationName string             `json:"operationName"`
	References    []jaegerRef        `json:"references"`
	StartTime     json.Number        `json:"startTime"`
	Duration      json.Number        `json:"duration"`
	Tags          []jaegerFileTag    `json:"tags"`
	Logs          []jaegerFileLog    `json:"logs"`
	ProcessID     string             `json:"processID"`
	Process       *jaegerFileProcess `json:"process"`
}

type jaegerFileTag struct {
	Key   string          `json:"key"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

type jaegerFileLog struct {
	Timestamp json.Number     `json:"timestamp"`
	Fields    []jaegerFileTag `json:"fields"`
}

type jaegerFileProcess struct {
	ServiceName string          `json:"serviceName"`
	Tags        []jaegerFileTag `json:"tags"`
}

// jaegerBuilder sorts the spans of a file by process.
type jaegerBuilder struct {
	batches map[string]*model.Batch
	order   []string
	spans   int
}

func (b *jaegerBuilder) add(t *jaegerFileTrace) error {
	for i := range t.Spans {
		js := &t.Spans[i]
		if b.spans++; b.spans > decodeLimits.Spans {
			return model.ErrTooLarge
		}
		s, err := js.span()
		if err != nil {
			return err
		}
		p, known := t.Processes[js.ProcessID]
		if js.Process != nil {
			p, known = *js.Process, true
		}
		if !known {
			return fmt.Errorf("this Jaeger JSON is not valid: span %s is of process %.40q, which is not in the file",
				js.SpanID, js.ProcessID)
		}
		key := s.traceKey() + js.ProcessID + "\x00" + p.ServiceName
		batch := b.batches[key]
		if batch == nil {
			batch = &model.Batch{Process: model.Process{Service: p.ServiceName, Tags: fileTags(p.Tags)}}
			b.batches[key] = batch
			b.order = append(b.order, key)
		}
		batch.Spans = append(batch.Spans, s.Span)
	}
	return nil
}

type fileSpan struct{ model.Span }

func (s *fileSpan) traceKey() string { return traceHex(s.TraceID) }

func (js *jaegerFileSpan) span() (*fileSpan, error) {
	trace, ok := parseTraceID(js.TraceID)
	id, err := parseHex(js.SpanID)
	if !ok || err != nil || id == 0 {
		return nil, fmt.Errorf("this Jaeger JSON has a span with traceID %.40q and spanID %.40q", js.TraceID, js.SpanID)
	}
	start, err := micros(js.StartTime)
	if err != nil {
		return nil, fmt.Errorf("this Jaeger JSON is not valid: startTime of span %s: %w", js.SpanID, err)
	}
	took, err := micros(js.Duration)
	if err != nil {
		return nil, fmt.Errorf("this Jaeger JSON is not valid: duration of span %s: %w", js.SpanID, err)
	}
	s := &fileSpan{model.Span{
		TraceID: trace, SpanID: id, Flags: js.Flags, Name: js.OperationName, Start: time.UnixMicro(start),
		Duration: time.Duration(min(max(took, 0), math.MaxInt64/1000)) * time.Microsecond, Tags: fileTags(js.Tags),
	}}
	if i := slices.IndexFunc(s.Tags, func(t model.Tag) bool { return t.Key == tagTraceState }); i >= 0 {
		s.TraceState = s.Tags[i].Value.Str()
		s.Tags = slices.Delete(s.Tags, i, i+1)
	}
	for _, l := range js.Logs[:min(len(js.Logs), limits.Logs)] {
		at, _ := micros(l.Timestamp)
		s.Logs = append(s.Logs, model.Log{Time: time.UnixMicro(at), Fields: fileTags(l.Fields)})
	}
	s.ParentID, _ = parseHex(js.ParentSpanID)
	for _, r := range js.References[:min(len(js.References), decodeLimits.Refs)] {
		s.addReference(r)
	}
	return s, nil
}

// addReference takes the first reference into the same trace for the one to the parent.
func (s *fileSpan) addReference(r jaegerRef) {
	ref := model.Ref{}
	ref.TraceID, _ = parseTraceID(r.TraceID)
	ref.SpanID, _ = parseHex(r.SpanID)
	if r.RefType == "FOLLOWS_FROM" {
		ref.Type = model.FollowsFrom
	}
	if s.ParentID == 0 && ref.TraceID == s.TraceID {
		s.ParentID = ref.SpanID
		if ref.Type == model.ChildOf {
			return
		}
	}
	if ref.Type == model.FollowsFrom || ref.SpanID != s.ParentID || ref.TraceID != s.TraceID {
		s.Refs = append(s.Refs, ref)
	}
}

func micros(n json.Number) (int64, error) {
	if n == "" {
		return 0, nil
	}
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil || !(math.Abs(f) < 1<<62) {
		return 0, fmt.Errorf("%.40q is not a number of microseconds", string(n))
	}
	return int64(f), nil
}

func fileTags(tags []jaegerFileTag) []model.Tag {
	var out []model.Tag
	for _, t := range tags[:min(len(tags), limits.Tags)] {
		out = append(out, model.Tag{Key: name(t.Key), Value: fileValue(&t)})
	}
	return out
}

// fileValue reads a value by its type. Numbers that JavaScript could not read exactly are written as text.
func fileValue(t *jaegerFileTag) model.Value {
	s := string(t.Value)
	var str string
	if json.Unmarshal(t.Value, &str) == nil {
		s = str
	}
	switch t.Type {
	case "bool":
		if b, err := strconv.ParseBool(s); err == nil {
			return model.Bool(b)
		}
	case "int64":
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return model.Int(n)
		}
	case "float64":
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return model.Float(f)
		}
	case "binary":
		if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) <= limits.ValueBytes {
			return model.Bytes(b)
		}
	}
	return model.String(model.Cut(s, limits.ValueBytes))
}
