package tracerinit

import "strconv"

// disabled reads whether there are to be no spans.
func (r *resolver) disabled(code bool) bool {
	return setting(r, "disabled", code, false, from(r, "JAEGER_DISABLED", boolean), r.onlyTrue("OTEL_SDK_DISABLED"))
}

// wideIDs reads whether trace ids have 128 bits.
func (r *resolver) wideIDs(narrow bool) bool {
	c := choose(r, narrow, false, from(r, "JAEGER_TRACEID_128BIT", func(s string) (bool, error) {
		wide, err := boolean(s)
		return !wide, err
	}))
	r.note("trace_id.128bit", strconv.FormatBool(!c.value), c.source, c.overrides...)
	return !c.value
}
