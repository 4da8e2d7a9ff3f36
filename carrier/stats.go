package carrier

import "sync/atomic"

// Stats counts what a [Propagator] has read and dropped since it was made. Nothing of it is logged.
type Stats struct {
	Extracted         map[Format]uint64 // contexts taken, by the format of the parent
	Custom            map[string]uint64 // contexts taken in the formats of Config.Custom, by their names
	Malformed         map[Format]uint64 // headers that hold no context of their format
	Oversize          uint64            // trace headers longer than their limit
	Duplicate         uint64            // trace headers that came more than once, with different values or as traceparent
	Conflict          uint64            // valid contexts that name another trace than the parent
	TraceStateDropped uint64            // tracestates that are malformed or over a limit
	BaggageMalformed  uint64            // items with a key that is no token, or a value that is not encoded as it must be
	BaggageOverLimit  uint64            // items over a limit; a header of which the rest is unread counts once
	BaggageDenied     uint64            // items that an Allow function refused
	BaggageProperty   uint64            // malformed properties of items; the items are kept
	BaggageUnsendable uint64            // items that no style that is written can hold: gRPC allows fewer keys than HTTP
	BaggageOneStyle   uint64            // calls with baggage in one style, because all together exceed MaxBytes
	DebugIgnored      uint64            // debug flags and ids that are malformed, too long or not obeyed
	HookPanic         uint64            // panics of Allow functions, Decide and custom formats
}

// cause indexes the counters. The first two groups have one for each format.
type cause uint8

const (
	extracted         cause = 0
	malformed               = extracted + cause(formats)
	oversize                = malformed + cause(formats)
	duplicate               = oversize + 1
	conflict                = oversize + 2
	traceStateDropped       = oversize + 3
	baggageMalformed        = oversize + 4
	baggageOverLimit        = oversize + 5
	baggageDenied           = oversize + 6
	debugIgnored            = oversize + 7
	hookPanic               = oversize + 8
	baggageProperty         = oversize + 9
	baggageUnsendable       = oversize + 10
	baggageOneStyle         = oversize + 11
	causes                  = oversize + 12
)

type counters [causes]atomic.Uint64

func (c *counters) count(what cause) { c[what].Add(1) }

// Stats returns the counts. It may be called at any time.
func (p *Propagator) Stats() Stats {
	at := func(c cause) uint64 { return p.counts[c].Load() }
	s := Stats{
		Extracted:         make(map[Format]uint64, formats),
		Malformed:         make(map[Format]uint64, formats),
		Oversize:          at(oversize),
		Duplicate:         at(duplicate),
		Conflict:          at(conflict),
		TraceStateDropped: at(traceStateDropped),
		BaggageMalformed:  at(baggageMalformed),
		BaggageOverLimit:  at(baggageOverLimit),
		BaggageDenied:     at(baggageDenied),
		DebugIgnored:      at(debugIgnored),
		HookPanic:         at(hookPanic),
		BaggageProperty:   at(baggageProperty),
		BaggageUnsendable: at(baggageUnsendable),
		BaggageOneStyle:   at(baggageOneStyle),
	}
	for i := range p.custom {
		if s.Custom == nil {
			s.Custom = make(map[string]uint64, len(p.custom))
		}
		s.Custom[p.custom[i].name] = p.custom[i].extracted.Load()
	}
	for f := range formats {
		s.Extracted[f] = at(extracted + cause(f))
		s.Malformed[f] = at(malformed + cause(f))
	}
	return s
}
