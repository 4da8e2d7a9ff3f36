package traceview

import "time"

const (
	usualSpans = 20  // spans of an operation before its usual duration is known
	usualShare = .95 // of them take no longer than usual
)

// slowness returns a function that reports whether a span took longer than is usual for its operation: longer than 95
// of 100, and clearly longer than half of them.
func (s *store) slowness(spans []*span) func(*span) bool {
	bounds := map[operationKey]time.Duration{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sp := range spans {
		key := operationKey{sp.process.Service, sp.Name, sp.kind}
		if _, done := bounds[key]; done {
			continue
		}
		bounds[key] = -1
		if op := s.operations[key]; op != nil && op.count >= usualSpans {
			bounds[key] = max(op.latency.quantile(usualShare), op.latency.quantile(.5)*3/2)
		}
	}
	return func(sp *span) bool {
		bound := bounds[operationKey{sp.process.Service, sp.Name, sp.kind}]
		return bound >= 0 && sp.Duration > bound
	}
}

// usual says how a span's duration compares with the others of its operation, "" if they are too few.
func (s *store) usual(sp *span) string {
	op, ok := s.operation(operationKey{sp.process.Service, sp.Name, sp.kind})
	if !ok || op.count < usualSpans {
		return ""
	}
	faster := op.latency.below(sp.Duration)
	return "longer than " + percent(faster, op.count) + " of " + showCount(op.count) + "; half take up to " +
		showDuration(op.latency.quantile(.5)) + ", 95 of 100 up to " + showDuration(op.latency.quantile(.95))
}
