package fromjaeger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	. "github.com/spanloom/spanloom/internal/model"
)

// TestAttributesDoNotReplaceTagsWithAMeaning has both of one key, whether a span has few tags or many.
func TestAttributesDoNotReplaceTagsWithAMeaning(t *testing.T) {
	for _, more := range []int{0, 2 * maxScannedTags} {
		t.Run(fmt.Sprint(more), func(t *testing.T) {
			span := newTracer(t).StartSpan("s")
			for i := range more {
				span.SetTag(fmt.Sprint("k", i), i)
			}
			span.SetTag("error", true).SetTag("error", Bool(false).Literal()).SetTag("error", String("x").Literal())
			span.Finish()
			var got []Tag
			for _, tag := range load(span, Limits{}).Tags {
				if tag.Key == "error" {
					got = append(got, tag)
				}
			}
			if diff := cmp.Diff([]Tag{tag("error", true), {Key: "error", Value: String("x").Literal()}}, got, byValue); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNamesOfEventsAreNoAttributes has as many attributes as the limit says, also such without a key.
func TestNamesOfEventsAreNoAttributes(t *testing.T) {
	span := newTracer(t).StartSpan("s")
	span.FinishWithOptions(opentracing.FinishOptions{LogRecords: []opentracing.LogRecord{{
		Timestamp: time.Now(), Fields: []log.Field{
			log.Object("event", EventName("e")), log.Object("", Int(1)), log.Int("b", 2), log.Int("c", 3),
		},
	}}})
	got := load(span, Limits{Fields: 2}).Logs[0]
	want := []Tag{{Key: "event", Value: String("e").Literal()}, {Value: Int(1)}, tag("b", 2)}
	if diff := cmp.Diff(want, got.Fields, byValue); diff != "" || got.DroppedFields != 1 {
		t.Errorf("dropped %d, want 1; -want +got:\n%s", got.DroppedFields, diff)
	}
}
