package tracerinit

import "time"

// withoutEffect reads the variables that have nothing to set here, and warns where somebody may count on them.
func (r *resolver) withoutEffect() {
	defer r.onlyIf(false)()
	for _, v := range []struct{ name, why string }{
		{"JAEGER_RPC_METRICS", "Tracer.Stats counts spans, and package prommw measures requests"},
		{"JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", "the agent's name is always resolved again"},
	} {
		if choose(r, false, false, from(r, v.name, boolean)).value {
			r.warn("a variable has no effect: "+v.why, slogVariable(v.name))
		}
	}
	choose(r, 0, time.Second, from(r, "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL", duration))
	for _, name := range []string{"OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"} {
		if r.get(name) != "" {
			r.warn("a variable has no effect: files of configuration are not read", slogVariable(name))
		}
	}
}
