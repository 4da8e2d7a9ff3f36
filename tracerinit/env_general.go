package tracerinit

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	allowsNone = -1 // the limit in [model.Limits] that keeps nothing
	noLimit    = -2 // any negative number in [Limits]
)

func (r *resolver) disabled(code bool) bool {
	return setting(r, "disabled", code, false, from(r, "JAEGER_DISABLED", boolean), r.onlyTrue("OTEL_SDK_DISABLED"))
}

func (r *resolver) wideIDs(narrow bool) bool {
	c := choose(r, narrow, false, from(r, "JAEGER_TRACEID_128BIT", func(s string) (bool, error) {
		wide, err := boolean(s)
		return !wide, err
	}))
	r.note("trace_id.128bit", strconv.FormatBool(!c.value), c.source, c.overrides...)
	return !c.value
}

func (r *resolver) queue(code Queue) Queue {
	r.checkQueue(code)
	def := Queue{}.export().WithDefaults()
	q := Queue{Overflow: code.Overflow}
	q.Size = setting(r, "queue.size", code.Size, def.Size,
		from(r, "JAEGER_REPORTER_MAX_QUEUE_SIZE", size), r.otelSize("OTEL_BSP_MAX_QUEUE_SIZE"))
	batch := choose(r, code.Batch, def.Batch, r.otelSize("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"))
	q.Batch = min(batch.value, q.Size)
	r.note("queue.batch", strconv.Itoa(q.Batch), batch.source, batch.overrides...)
	bytes := choose(r, code.Bytes, def.Bytes)
	q.Bytes = bytes.value
	r.note("queue.bytes", shownBound(q.Bytes), bytes.source)
	interval := choose(r, code.Interval, def.Interval,
		from(r, "JAEGER_REPORTER_FLUSH_INTERVAL", duration), from(r, "OTEL_BSP_SCHEDULE_DELAY", milliseconds(noWait)))
	q.Interval = interval.value
	r.note("queue.interval", shownInterval(q.Interval), interval.source, interval.overrides...)
	timeout := choose(r, code.Timeout, def.Timeout, from(r, "OTEL_BSP_EXPORT_TIMEOUT", milliseconds(forever)))
	q.Timeout = timeout.value
	r.note("queue.timeout", shownTimeout(timeout.value), timeout.source, timeout.overrides...)
	source := sourceDefault
	if code.Overflow != DropNewest {
		source = sourceCode
	}
	r.note("queue.overflow", q.Overflow.String(), source)
	return q
}

func shownBound(n int) string {
	if n < 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

func (r *resolver) checkQueue(code Queue) {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"Size", int64(code.Size)}, {"Batch", int64(code.Batch)},
		{"Interval", int64(code.Interval)}, {"Timeout", int64(code.Timeout)},
	} {
		if f.value < 0 {
			r.wrongCode("Queue."+f.name, f.value, expected("zero for the default, or more"))
		}
	}
	if code.Overflow > Block {
		r.wrongCode("Queue.Overflow", code.Overflow, expected("DropNewest, DropOldest or Block"))
	}
}

func (r *resolver) limits(code Limits) model.Limits {
	bound := func(name string, code, def, ifZero int, variables ...string) int {
		var candidates []candidate[int]
		for _, v := range variables {
			candidates = append(candidates, from(r, v, limit(ifZero)))
		}
		if code < 0 {
			code = noLimit
		}
		c := choose(r, code, def, candidates...)
		switch c.value {
		case noLimit:
			r.note(name, "none", c.source, c.overrides...)
			return 0
		case allowsNone:
			r.note(name, "0", c.source, c.overrides...)
		default:
			r.note(name, strconv.Itoa(c.value), c.source, c.overrides...)
		}
		return c.value
	}
	links, linkFields := r.linkLimits()
	const count, length = "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
	return model.Limits{
		Tags:   bound("limits.tags", code.Tags, 128, allowsNone, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count),
		Logs:   bound("limits.logs", code.Logs, 128, allowsNone, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
		Fields: bound("limits.fields", code.Fields, 128, allowsNone, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", count),
		// A limit of one byte is as good as one of zero, which means none to package model.
		ValueBytes: bound(
			"limits.value_bytes", code.ValueBytes, 16<<10, 1, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length,
		),
		Links: links, LinkFields: linkFields,
	}
}

// linkLimits reads the limits on links, which only package otelbridge heeds: a span of OpenTracing has few references,
// and these have no attributes.
func (r *resolver) linkLimits() (links, fields int) {
	defer r.onlyIf(false)()
	links = choose(r, 0, 128, from(r, "OTEL_SPAN_LINK_COUNT_LIMIT", limit(allowsNone))).value
	fields = choose(r, 0, 128, from(r, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", limit(allowsNone))).value
	return links, fields
}

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

func slogVariable(name string) slog.Attr { return slog.String("variable", name) }

func slogError(err error) slog.Attr { return slog.String("error", err.Error()) }
