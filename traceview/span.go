package traceview

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

const maxName = 1 << 10 // bytes of the name of a span or service

func newSpan(p *process, ms *model.Span, dropped int) *span {
	sp := &span{Span: *ms, process: p}
	sp.Name = name(sp.Name)
	if at := inRange(sp.Start); !at.Equal(sp.Start) {
		sp.Start = at
		sp.warnings = append(sp.warnings, "This span started at a time that cannot be: "+ms.Start.Format(time.RFC3339))
	}
	sp.Duration = max(sp.Duration, 0)
	for i := range sp.Logs {
		sp.Logs[i].Time = inRange(sp.Logs[i].Time)
	}
	if len(sp.Tags) < cap(sp.Tags) {
		sp.Tags = slices.Clone(sp.Tags) // without what decoders took in reserve
	}
	slices.SortStableFunc(sp.Tags, func(a, b model.Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, t := range sp.Tags {
		switch t.Key {
		case semconv.KeySpanKind:
			sp.kind = name(t.Value.Str())
		case semconv.KeyError:
			sp.failed = sp.failed || truthy(t.Value)
		case semconv.KeyStatusCode:
			sp.failed = sp.failed || t.Value.Str() == "ERROR"
		case semconv.KeyErrorType:
			sp.panicked = sp.panicked || t.Value.Str() == semconv.PanicType
		}
	}
	for _, l := range sp.Logs {
		for _, f := range l.Fields {
			if f.Key == semconv.KeyErrorKind && f.Value.Str() == semconv.PanicType {
				sp.panicked = true
			}
		}
	}
	if dropped > 0 {
		warning := fmt.Sprintf("%d tags or log fields were over the limits and are not shown", dropped)
		sp.warnings = append(sp.warnings, warning)
	}
	return sp
}

// inRange moves a time that nanoseconds since 1970 cannot hold to the nearest that they can: the difference of any two
// is then a duration.
func inRange(t time.Time) time.Time {
	const latest = math.MaxInt64 / int64(time.Second)
	switch seconds := t.Unix(); {
	case seconds < 0:
		return time.Unix(0, 0).UTC()
	case seconds >= latest:
		return time.Unix(latest, 0).UTC()
	}
	return t
}

// name makes a name fit to be a key that pages and JSON write and addresses bring back.
func name(s string) string { return model.Cut(strings.ToValidUTF8(s, "\ufffd"), maxName) }

func truthy(v model.Value) bool {
	switch v.Kind() {
	case model.KindBool:
		return v.Bool()
	case model.KindString:
		ok, _ := strconv.ParseBool(v.Str())
		return ok
	}
	return false
}

// text writes a value as pages show it and as filters compare it.
func text(v model.Value) string {
	switch v.Kind() {
	case model.KindBool:
		return strconv.FormatBool(v.Bool())
	case model.KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case model.KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case model.KindBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.Str()))
	}
	return v.Str()
}

// What is kept costs in memory, a little more than measured: a trace with its maps and its line in the list, a span
// with its place in the trace, a tag, a log, a reference, a span whose parent has not come, and a process.
const (
	traceCost   = 800
	spanCost    = 300
	tagCost     = 48
	logCost     = 56
	refCost     = 32
	waitCost    = 200
	processCost = 200
)

func cost(s *model.Span) int {
	n := spanCost + len(s.Name) + len(s.TraceState) + tagsCost(s.Tags) + refCost*cap(s.Refs)
	for i := range s.Logs {
		n += logCost + tagsCost(s.Logs[i].Fields)
	}
	return n
}

func tagsCost(tags []model.Tag) int {
	n := tagCost * cap(tags)
	for i := range tags {
		n += len(tags[i].Key) + len(tags[i].Value.Str())
	}
	return n
}

// finite reports whether JSON can write f.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
