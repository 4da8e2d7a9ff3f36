package otlp

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spanloom/spanloom/internal/model"
)

var sameValue = gocmp.Comparer(func(a, b model.Value) bool { return a == b })

// maker makes models at random, of all that a model can hold and OTLP can say.
type maker struct{ *rand.Rand }

func pick[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

func (m maker) id() uint64 { return m.Uint64() | 1 }

func (m maker) time() time.Time {
	return time.Unix(m.Int64N(4e9), m.Int64N(1e9)).UTC()
}

func (m maker) text() string {
	return pick(m, "", "a", "true", "error", "log", "ERROR", "ok", "OK", "server", "internal", "ünï\u2028<\"\\\n", "github.com/spanloom/spanloom", "1.2")
}

func (m maker) value() model.Value {
	switch m.IntN(8) {
	case 0:
		return model.Bool(m.IntN(2) == 0)
	case 1:
		return model.Int(pick[int64](m, 0, -1, math.MinInt64, math.MaxInt64))
	case 2:
		return model.Float(pick[float64](m, 0, -0.5, 1e300, 5e-324, math.Inf(1), math.Inf(-1), 3))
	case 3:
		return model.Bytes([]byte(pick(m, "", "\xff\x00", "abcde")))
	}
	return model.String(m.text())
}

func (m maker) tags() (tags []model.Tag) {
	for range m.IntN(8) {
		key := pick(m, "a", "b", "error", "span.kind", "otel.status_code", "otel.status_description", "otel.scope.name",
			"otel.scope.version", "link.trace_id", "event", "opentracing.ref_type", "message", "ü")
		if !slices.ContainsFunc(tags, func(t model.Tag) bool { return t.Key == key }) {
			tags = append(tags, model.Tag{Key: key, Value: m.value()})
		}
	}
	return tags
}

func (m maker) span() model.Span {
	s := model.Span{
		TraceID: model.TraceID{High: pick(m, uint64(0), m.Uint64()), Low: m.id()}, SpanID: m.id(), ParentID: pick(m, uint64(0), m.id()),
		Flags: byte(m.IntN(2)), Random: m.IntN(2) == 0, Name: m.text(), TraceState: pick(m, "", "a=1"), Start: m.time(), Duration: time.Duration(m.Int64N(1e12)),
		Tags: m.tags(),
	}
	for range m.IntN(3) {
		s.Logs = append(s.Logs, model.Log{Time: m.time(), Fields: m.tags()})
	}
	if m.IntN(3) == 0 {
		s.Logs = append(s.Logs, model.Log{Time: m.time(), Fields: []model.Tag{str("event", "error"), str("message", m.text())}})
	}
	for range m.IntN(3) {
		s.Refs = append(s.Refs, model.Ref{Type: pick(m, model.ChildOf, model.FollowsFrom), TraceID: pick(m, s.TraceID, model.TraceID{Low: m.id()}), SpanID: m.id()})
	}
	return s
}

func (m maker) batches() (batches []model.Batch) {
	for range m.IntN(3) {
		b := model.Batch{Process: model.Process{Service: pick(m, "shop", "ü"), Tags: m.tags()}}
		for range m.IntN(4) {
			b.Spans = append(b.Spans, m.span())
		}
		batches = append(batches, b)
	}
	return batches
}

// asShown is what the package documentation says that a span gains on its way: a kind, and a status for its error.
// The order of tags carries no meaning.
func asShown(s model.Span) model.Span {
	get := func(key string) model.Value {
		for _, t := range s.Tags {
			if t.Key == key {
				return t.Value
			}
		}
		return model.Value{}
	}
	add := func(key, value string) {
		if !slices.ContainsFunc(s.Tags, func(t model.Tag) bool { return t.Key == key }) {
			s.Tags = append(s.Tags, str(key, value))
		}
	}
	s.Tags = slices.Clone(s.Tags)
	add("span.kind", "internal")
	if get("error") == model.Bool(true) || get("error") == model.String("true") {
		add("otel.status_code", "ERROR")
	}
	if v := get("otel.status_code"); (v == model.String("ERROR") || v == model.String("error")) && !slices.ContainsFunc(s.Tags, func(t model.Tag) bool { return t.Key == "error" }) {
		s.Tags = append(s.Tags, model.Tag{Key: "error", Value: model.Bool(true)})
	}
	if message := loggedError(s.Logs); message != "" && fieldsOf(&s).status == statusError {
		add("otel.status_description", message)
	}
	s.Logs = slices.Clone(s.Logs)
	for i := range s.Logs {
		s.Logs[i].Fields = sorted(s.Logs[i].Fields)
	}
	s.Tags = sorted(s.Tags)
	return s
}

func sorted(tags []model.Tag) []model.Tag {
	return slices.SortedStableFunc(slices.Values(tags), func(a, b model.Tag) int { return cmp.Compare(a.Key, b.Key) })
}

func allAsShown(batches []model.Batch) (out []model.Batch) {
	for _, b := range batches {
		shown := model.Batch{Process: b.Process}
		for _, s := range b.Spans {
			shown.Spans = append(shown.Spans, asShown(s))
		}
		slices.SortFunc(shown.Spans, func(a, b model.Span) int { return cmp.Compare(a.SpanID, b.SpanID) })
		out = append(out, shown)
	}
	return out
}

func protobufOf(batches []model.Batch) (body []byte) {
	for i := range batches {
		var spans [][]byte
		for j := range batches[i].Spans {
			spans = append(spans, AppendSpan(nil, &batches[i].Spans[j]))
		}
		body = AppendRequest(body, &batches[i].Process, spans)
	}
	return body
}

func checkRoundTrip(t *testing.T, seed uint64) {
	t.Helper()
	batches := maker{rand.New(rand.NewPCG(seed, 0))}.batches()
	want := allAsShown(batches)
	equal := func(encoding string, got []model.Batch, err error) {
		shown := allAsShown(got)
		if err == nil && reflect.DeepEqual(want, shown) {
			return // much cheaper than Diff
		}
		if diff := gocmp.Diff(want, shown, sameValue, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("seed %d, %s: %v, -want +got:\n%s", seed, encoding, err, diff)
		}
	}
	got, err := DecodeRequest(protobufOf(batches), model.DecodeLimits{})
	equal("protobuf", got, err)
	got, err = DecodeRequestJSON(AppendRequestJSON(nil, batches), model.DecodeLimits{})
	equal("JSON", got, err)
}

func TestSpansSurviveARoundTrip(t *testing.T) {
	for seed := range uint64(1000) {
		if checkRoundTrip(t, seed); t.Failed() {
			return
		}
	}
}
