package tracerinit

import "strconv"

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
