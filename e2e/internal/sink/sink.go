// Package sink is backends that remember which spans they took, and that can be made to misbehave.
package sink

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/uber/jaeger-client-go/thrift-gen/jaeger"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// Taken is the spans that a backend has acknowledged: how often each came, by "trace id/span id" in hex.
type Taken struct {
	mu    sync.Mutex
	times map[string]int
}

// IDs are the spans taken, sorted.
func (s *Taken) IDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.times))
}

// Len is the number of different spans taken.
func (s *Taken) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

// Twice are the spans that came more than once.
func (s *Taken) Twice() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range s.times {
		if n > 1 {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Taken) add(ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == nil {
		s.times = make(map[string]int)
	}
	for _, id := range ids {
		s.times[id]++
	}
}

func otlpIDs(req *coltrace.ExportTraceServiceRequest) (ids []string) {
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			for _, span := range ss.GetSpans() {
				ids = append(ids, hex.EncodeToString(span.GetTraceId())+"/"+hex.EncodeToString(span.GetSpanId()))
			}
		}
	}
	return ids
}

func thriftIDs(batch *jaeger.Batch) (ids []string) {
	for _, span := range batch.GetSpans() {
		ids = append(ids, fmt.Sprintf("%016x%016x/%016x",
			uint64(span.GetTraceIdHigh()), uint64(span.GetTraceIdLow()), uint64(span.GetSpanId())))
	}
	return ids
}

// SameIDs compares what was taken with what should have been.
func SameIDs(t testing.TB, got *Taken, want []string) {
	t.Helper()
	have := got.IDs()
	want = slices.Sorted(slices.Values(want))
	if slices.Equal(have, want) {
		return
	}
	t.Errorf("the backend took %d spans, want %d: %d are missing, %d are strangers",
		len(have), len(want), len(without(want, have)), len(without(have, want)))
}

func without(a, b []string) (rest []string) {
	for _, id := range a {
		if _, found := slices.BinarySearch(b, id); !found {
			rest = append(rest, id)
		}
	}
	return rest
}
