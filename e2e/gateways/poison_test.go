package gateways_test

import (
	"fmt"
	"testing"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
)

// poisoned sends a poisonous batch among good ones, all of which have to arrive soon. If drops is not nil, it counts the
// spans of the poisonous batch, which have to be dropped soon, too.
func poisoned(t *testing.T, s *sender, taken *sink.Taken, drops func(tracerinit.Dropped) uint64) {
	t.Helper()
	s.poison()
	wait.For(t, "the poisonous batch to be sent", func() (any, bool) {
		e := s.Stats().Exporters[0]
		return e, e.Queued == 0
	})
	for i := range 600 {
		span := s.StartSpan(fmt.Sprint("span ", i))
		span.Finish()
		s.ids = append(s.ids, carrier.TraceID(span.Context())+"/"+carrier.SpanID(span.Context()))
	}
	wait.For(t, "600 good spans", func() (any, bool) {
		e := s.Stats().Exporters[0]
		return e, e.Delivered == 600
	})
	sink.SameIDs(t, taken, s.ids)
	if drops != nil {
		wait.For(t, "the poisonous span to be dropped", func() (any, bool) {
			e := s.Stats().Exporters[0]
			return e, drops(e.Dropped) == 1 && e.Dropped.Total() == 1
		})
	}
}
