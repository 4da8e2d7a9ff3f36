package rpcspan

import (
	"slices"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// BaggageTag is a baggage item and the key of the tag that it becomes.
type BaggageTag struct{ item, tag string }

// BaggageTags adds the tags of the named baggage items to list, each once.
func BaggageTags(list []BaggageTag, items ...string) []BaggageTag {
	for _, item := range items {
		t := BaggageTag{item, semconv.PrefixBaggage + item}
		if item != "" && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// AddBaggage adds the baggage items that the span has.
func (l *Tags) AddBaggage(tags []BaggageTag) {
	for _, t := range tags {
		if value := l.Span.span.BaggageItem(t.item); value != "" {
			l.Set(t.tag, model.Cut(semconv.MaskHeader(t.item, value), semconv.MaxBaggage))
		}
	}
}
