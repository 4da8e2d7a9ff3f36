package tracerinit

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/model"
)

// resolved is a Config whose every field has its value.
type resolved struct {
	service     string
	tags        []processTag
	disabled    bool
	sampler     Sampler
	propagation carrier.Config
	exporters   []choice
	reporters   []jaeger.Reporter
	logSpans    bool
	queue       Queue
	limits      model.Limits
	shutdown    time.Duration
	wideIDs     bool
}

// resolve fills cfg's gaps. What is wrong and what is in effect stays in r.
func (r *resolver) resolve(cfg Config) resolved {
	attrs := r.attributes(cfg.Tags)
	out := resolved{
		service:     r.service(cmp.Or(cfg.Service, attrs.code["service.name"]), attrs),
		tags:        r.processTags(cfg, attrs),
		disabled:    setting(r, "disabled", cfg.Disabled, false, from(r, "JAEGER_DISABLED", boolean), from(r, "OTEL_SDK_DISABLED", boolean)),
		sampler:     r.sampler(cfg.Sampler),
		propagation: r.propagation(cfg.Propagation),
		exporters:   r.exporters(cfg),
		reporters:   r.reporters(cfg.Reporters),
		logSpans:    setting(r, "log_spans", false, false, from(r, "JAEGER_REPORTER_LOG_SPANS", boolean)),
		queue:       r.queue(cfg.Queue),
		limits:      r.limits(cfg.Limits),
		shutdown:    setting(r, "shutdown.timeout", cfg.ShutdownTimeout, 5*time.Second),
		wideIDs:     setting(r, "trace_id.128bit", false, true, from(r, "JAEGER_TRACEID_128BIT", boolean)),
	}
	if cfg.ShutdownTimeout < 0 {
		r.wrongCode("ShutdownTimeout", cfg.ShutdownTimeout, wanted("a positive duration"))
	}
	r.withoutEffect()
	return out
}

func (r *resolver) service(code string, attrs attributes) string {
	return setting(r, "service", code, "unknown_service:"+filepath.Base(os.Args[0]),
		from(r, "JAEGER_SERVICE_NAME", text), attrs.fromJaeger("service.name"),
		from(r, "OTEL_SERVICE_NAME", text), attrs.fromOTel("service.name"))
}

func (r *resolver) reporters(code []jaeger.Reporter) []jaeger.Reporter {
	for i, reporter := range code {
		if reporter == nil {
			r.wrongCode(fmt.Sprintf("Reporters[%d]", i), nil, errors.New("want a reporter"))
			continue
		}
		r.note("reporter", fmt.Sprintf("%T", reporter), inCode)
	}
	return code
}

func (r *resolver) queue(code Queue) Queue {
	for _, f := range []struct {
		name  string
		value int64
	}{{"Size", int64(code.Size)}, {"Batch", int64(code.Batch)}, {"Interval", int64(code.Interval)}, {"Timeout", int64(code.Timeout)}} {
		if f.value < 0 {
			r.wrongCode("Queue."+f.name, f.value, wanted("zero for the default, or more"))
		}
	}
	if code.Overflow > Block {
		r.wrongCode("Queue.Overflow", code.Overflow, wanted("DropNewest, DropOldest or Block"))
	}
	def := Queue{}.export().WithDefaults()
	size := setting(r, "queue.size", code.Size, def.Size,
		from(r, "JAEGER_REPORTER_MAX_QUEUE_SIZE", number(1)), from(r, "OTEL_BSP_MAX_QUEUE_SIZE", number(1)))
	batch, source := choose(r, code.Batch, def.Batch, from(r, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", number(1)))
	batch = min(batch, size)
	r.note("queue.batch", strconv.Itoa(batch), source)
	q := Queue{
		Size: size, Batch: batch,
		Interval: setting(r, "queue.interval", code.Interval, def.Interval,
			from(r, "JAEGER_REPORTER_FLUSH_INTERVAL", duration), from(r, "OTEL_BSP_SCHEDULE_DELAY", milliseconds(0))),
		Timeout:  setting(r, "queue.timeout", code.Timeout, def.Timeout, from(r, "OTEL_BSP_EXPORT_TIMEOUT", milliseconds(1))),
		Overflow: code.Overflow,
	}
	source = byDefault
	if code.Overflow != DropNewest {
		source = inCode
	}
	r.note("queue.overflow", q.Overflow.String(), source)
	return q
}

func (r *resolver) limits(code Limits) model.Limits {
	limit := func(name string, code, def int, variables ...string) int {
		var candidates []candidate[int]
		for _, v := range variables {
			candidates = append(candidates, from(r, v, number(1)))
		}
		n, source := choose(r, code, def, candidates...)
		if n < 0 {
			r.note(name, "none", source)
			return 0
		}
		r.note(name, fmt.Sprint(n), source)
		return n
	}
	defer r.unusedLimits()
	return model.Limits{
		Tags:       limit("limits.tags", code.Tags, 128, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"),
		Logs:       limit("limits.logs", code.Logs, 128, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
		Fields:     limit("limits.fields", code.Fields, 128, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"),
		ValueBytes: limit("limits.value_bytes", code.ValueBytes, 16<<10, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
	}
}

// unusedLimits judges the limits on links, of which OpenTracing's references are too few to need any.
func (r *resolver) unusedLimits() {
	choose(r, 0, 0, from(r, "OTEL_SPAN_LINK_COUNT_LIMIT", number(0)))
	choose(r, 0, 0, from(r, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", number(0)))
}

// withoutEffect judges the variables of jaeger-client-go that have nothing to set here, and says so.
func (r *resolver) withoutEffect() {
	if on, _ := choose(r, false, false, from(r, "JAEGER_RPC_METRICS", boolean)); on {
		r.warn("JAEGER_RPC_METRICS has no effect: see Tracer.Stats")
	}
	if on, _ := choose(r, false, false, from(r, "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", boolean)); on {
		r.warn("JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED has no effect: the agent's name is always resolved again")
	}
	choose(r, 0, 0, from(r, "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL", duration))
}
