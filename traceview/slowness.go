package traceview

import "time"

const (
	usualSpans = 20  // spans of an operation before its usual duration is known
	usualShare = .95 // of them take no longer than usual
)

// usual is how long an operation usually takes. It is taken from the histogram anew when that has grown by a part.
type usual struct {
	half, most time.Duration // what half of the spans, and most of them, take at most
	next       int           // spans of the operation before the next look
}

// usualOf returns how long the operation usually takes, and false if it has had too few spans. It is called with the
// store's lock held.
func (op *operation) usualOf() (half, most time.Duration, known bool) {
	if op.count < usualSpans {
		return 0, 0, false
	}
	if u := &op.usual; op.count >= u.next {
		u.half = op.latency.quantile(.5)
		_, most := bucketBounds(bucketOf(op.latency.quantile(usualShare))) // all in one bucket are equally slow
		u.most = max(time.Duration(most), u.half*3/2)
		u.next = op.count + 1 + op.count/16
	}
	return op.usual.half, op.usual.most, true
}

// slowBounds holds the durations over which a span is slow, by operation.
type slowBounds map[operationKey]time.Duration

// isSlow reports whether a span took longer than is usual for its operation: longer than 95 of 100, and clearly longer
// than half of them.
func (b slowBounds) isSlow(sp *span) bool {
	bound, known := b[operationKey{sp.process.Service, sp.Name, sp.kind}]
	return known && sp.Duration > bound
}

// slowness returns the bounds of all operations.
func (s *store) slowness() slowBounds {
	s.mu.Lock()
	defer s.mu.Unlock()
	bounds := make(slowBounds, len(s.operations))
	for key, op := range s.operations {
		if _, most, known := op.usualOf(); known {
			bounds[key] = most
		}
	}
	return bounds
}

// usual says how a span's duration compares with the others of its operation, "" if they are too few.
func (s *store) usual(sp *span) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operations[operationKey{sp.process.Service, sp.Name, sp.kind}]
	if op == nil || op.count < usualSpans {
		return ""
	}
	faster := op.latency.below(sp.Duration)
	return "longer than " + percent(faster, op.count) + " of " + showCount(op.count) + "; half take up to " +
		showDuration(op.latency.quantile(.5)) + ", 95 of 100 up to " + showDuration(op.latency.quantile(.95))
}

// slowRoot returns what half of the spans of the operation of a trace's first span take, if it is slow.
func (s *store) slowRoot(sp *span) (half time.Duration, slow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operations[operationKey{sp.process.Service, sp.Name, sp.kind}]
	if op == nil {
		return 0, false
	}
	half, most, known := op.usualOf()
	return half, known && sp.Duration > most
}
