package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// observer notes what a program sees of its spans. Ids are written as numbers, in the order in which they are met.
type observer struct {
	tracing
	notes []string
	ids   []string
}

func (o *observer) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

func (o *observer) id(id fmt.Stringer) string {
	text := id.String()
	if strings.Trim(text, "0") == "" {
		return "none"
	}
	if !slices.Contains(o.ids, text) {
		o.ids = append(o.ids, text)
	}
	return fmt.Sprint("#", slices.Index(o.ids, text))
}

func (o *observer) context(what string, sc trace.SpanContext) {
	o.note("%s: trace %s, span %s, flags %v, state %q, remote %t, valid %t", what, o.id(sc.TraceID()), o.id(sc.SpanID()),
		sc.TraceFlags(), sc.TraceState().String(), sc.IsRemote(), sc.IsValid())
}

func (o *observer) span(what string, s trace.Span) {
	o.context(what, s.SpanContext())
	o.note("%s records: %t", what, s.IsRecording())
}

func (o *observer) baggage(what string, ctx context.Context) {
	var members []string
	for _, m := range baggage.FromContext(ctx).Members() {
		members = append(members, m.String())
	}
	slices.Sort(members)
	o.note("%s: baggage %q", what, members)
}

func (o *observer) injected(what string, ctx context.Context, p propagation.TextMapPropagator) {
	c := propagation.MapCarrier{}
	p.Inject(ctx, c)
	if parent := c["traceparent"]; len(parent) == 55 {
		o.note("%s: version %s, trace %s, span %s, flags %s", what, parent[:2], o.id(text(parent[3:35])), o.id(text(parent[36:52])), parent[53:])
	} else {
		o.note("%s: traceparent %q", what, parent)
	}
	members := strings.Split(c["baggage"], ",")
	slices.Sort(members)
	o.note("%s: tracestate %q, baggage %q", what, c["tracestate"], members)
}

type text string

func (t text) String() string { return string(t) }

type someKey struct{}

var noContext context.Context // which some pass

// observations are programs that only use OpenTelemetry's API.
var observations = map[string]func(o *observer, ctx context.Context){
	"life of a span": func(o *observer, ctx context.Context) {
		ctx, s := o.Tracer("lib").Start(ctx, "s")
		o.span("started", s)
		o.note("same span in the context: %t", trace.SpanFromContext(ctx) == s)
		s.SetName("t")
		s.SetStatus(codes.Error, "")
		o.span("changed", s)
		s.End()
		o.span("ended", s)
		o.span("in the context", trace.SpanFromContext(ctx))
		s.End()
		o.injected("after the end", ctx, o)
		_, c := o.Tracer("lib").Start(ctx, "child")
		o.span("child of an ended span", c)
		c.End()
	},
	"contexts without a span": func(o *observer, ctx context.Context) {
		o.span("nothing", trace.SpanFromContext(ctx))
		o.span("nil", trace.SpanFromContext(noContext))
		o.context("nothing", trace.SpanContextFromContext(ctx))
		o.injected("nothing", ctx, o)
		c, s := o.Tracer("lib").Start(noContext, "s")
		o.span("from nil", s)
		o.note("context %t", c != nil && c.Err() == nil)
		s.End()
	},
	"contexts with values": func(o *observer, ctx context.Context) {
		ctx, cancel := context.WithCancelCause(context.WithValue(ctx, someKey{}, "v"))
		deadline := time.Now().Add(time.Hour)
		ctx, cancelDeadline := context.WithDeadline(ctx, deadline)
		defer cancelDeadline()
		c, s := o.Tracer("lib").Start(ctx, "s")
		got, ok := c.Deadline()
		o.note("value %v, deadline %t %t, error %v", c.Value(someKey{}), got.Equal(deadline), ok, c.Err())
		cancel(fmt.Errorf("because"))
		<-c.Done()
		o.note("error %v, cause %v", c.Err(), context.Cause(c))
		o.span("cancelled", s)
		s.End()
	},
	"roots and children": func(o *observer, ctx context.Context) {
		ctx, root := o.Tracer("lib").Start(ctx, "root")
		o.span("root", root)
		below, child := o.Tracer("other").Start(ctx, "child")
		o.span("child", child)
		c, other := o.Tracer("lib").Start(below, "new root", trace.WithNewRoot())
		o.note("another trace: %t", other.SpanContext().TraceID() != root.SpanContext().TraceID())
		o.context("in its context", trace.SpanContextFromContext(c))
		_, sibling := o.Tracer("lib").Start(trace.ContextWithSpan(below, root), "sibling")
		o.span("sibling", sibling)
		_, none := o.Tracer("lib").Start(trace.ContextWithSpan(below, noop.Span{}), "below a no-op span")
		o.span("below a no-op span", none)
		_, none = o.Tracer("lib").Start(trace.ContextWithSpan(below, nil), "below nil")
		o.span("below nil", none)
		for _, s := range []trace.Span{none, sibling, other, child, root} {
			s.End()
		}
	},
	"the provider of a span": func(o *observer, ctx context.Context) {
		ctx, s := o.Tracer("lib").Start(ctx, "s")
		_, c := s.TracerProvider().Tracer("other").Start(ctx, "child")
		o.span("child", c)
		_, d := trace.SpanFromContext(context.Background()).TracerProvider().Tracer("none").Start(ctx, "no-op child")
		o.span("no-op child", d)
		d.End()
		c.End()
		s.End()
	},
	"remote parents": func(o *observer, ctx context.Context) {
		for _, flags := range []string{"00", "01", "02", "03"} {
			c := o.Extract(ctx, propagation.MapCarrier{
				"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-" + flags, "tracestate": "vendor=1,other=2",
			})
			o.span("caller "+flags, trace.SpanFromContext(c))
			o.injected("of the caller "+flags, c, o)
			c, s := o.Tracer("lib").Start(c, "s")
			o.span("child "+flags, s)
			o.injected("of the child "+flags, c, o)
			s.End()
		}
	},
	"strange callers": func(o *observer, ctx context.Context) {
		for _, c := range []propagation.MapCarrier{
			{}, {"traceparent": ""}, {"traceparent": "00-0-0-01"}, {"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"},
			{"traceparent": "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
			{"traceparent": "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"},
			{"traceparent": "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"},
			{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "bad"},
			{"tracestate": "a=b"},
		} {
			o.context(fmt.Sprint(map[string]string(c)), trace.SpanContextFromContext(o.Extract(ctx, c)))
		}
	},
	"propagators by hand": func(o *observer, ctx context.Context) {
		byHand := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
		in := propagation.MapCarrier{
			"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1",
			"baggage": "k=v;p=1,l=%20m",
		}
		c := byHand.Extract(ctx, in)
		o.injected("passed on", c, o)
		c, s := o.Tracer("lib").Start(c, "s")
		o.span("child", s)
		o.baggage("child", c)
		o.injected("by hand", c, byHand)
		o.injected("not by hand", c, o)
		o.injected("trace alone", c, propagation.TraceContext{})
		o.injected("baggage alone", c, propagation.Baggage{})
		s.End()
		c = byHand.Extract(o.Extract(ctx, in), propagation.MapCarrier{})
		o.context("an empty carrier", trace.SpanContextFromContext(c))
	},
	"contexts by hand": func(o *observer, ctx context.Context) {
		ctx, s := o.Tracer("lib").Start(ctx, "s")
		for what, c := range map[string]context.Context{
			"1 remote":         trace.ContextWithRemoteSpanContext(ctx, link),
			"2 local":          trace.ContextWithSpanContext(ctx, link.WithRemote(false)),
			"3 unsampled":      trace.ContextWithRemoteSpanContext(ctx, link.WithTraceFlags(0)),
			"4 invalid":        trace.ContextWithSpanContext(ctx, trace.SpanContext{}),
			"5 own, remote":    trace.ContextWithRemoteSpanContext(ctx, s.SpanContext()),
			"7 own, unsampled": trace.ContextWithSpanContext(ctx, s.SpanContext().WithTraceFlags(0)),
		} {
			n := &observer{tracing: o.tracing, ids: slices.Clone(o.ids)}
			n.span(what, trace.SpanFromContext(c))
			c, child := o.Tracer("lib").Start(c, "child")
			n.span(what+", child", child)
			n.injected(what, c, o)
			child.End()
			o.notes = append(o.notes, strings.Join(n.notes, "\n"))
		}
		slices.Sort(o.notes)
		s.End()
	},
	"baggage": func(o *observer, ctx context.Context) {
		bag, err := baggage.Parse("k=v;p=1;q,l=%20m%2C%25%22%5C,u=%C3%BC,empty=")
		o.note("%v", err)
		ctx = baggage.ContextWithBaggage(ctx, bag)
		o.baggage("before", ctx)
		o.injected("before", ctx, o)
		c, s := o.Tracer("lib").Start(ctx, "s")
		o.baggage("below", c)
		o.injected("below", c, o)
		less := baggage.ContextWithBaggage(c, bag.DeleteMember("k"))
		o.baggage("less", less)
		o.injected("less", less, o)
		d, child := o.Tracer("lib").Start(less, "child")
		o.baggage("child", d)
		o.injected("child", d, o)
		o.baggage("parent", c)
		none := baggage.ContextWithoutBaggage(c)
		o.baggage("none", none)
		o.injected("none", none, o)
		d, root := o.Tracer("lib").Start(c, "root", trace.WithNewRoot())
		o.baggage("of a new root", d)
		o.injected("of a new root", d, o)
		root.End()
		child.End()
		s.End()
	},
	"baggage of callers": func(o *observer, ctx context.Context) {
		for _, text := range []string{"k=v", "k=v;p=1,l=m", "a=%20b", "bad", "k=v,k=w", strings.Repeat("k=v,", 63) + "z=1", "k=" + strings.Repeat("v", 4000)} {
			c := o.Extract(ctx, propagation.MapCarrier{"baggage": text})
			o.baggage("caller of "+text[:min(len(text), 30)], c)
			c, s := o.Tracer("lib").Start(c, "s")
			o.baggage("child", c)
			o.injected("child", c, o)
			s.End()
		}
	},
	"enabled": func(o *observer, ctx context.Context) {
		s := trace.SpanFromContext(ctx)
		s.SetAttributes(attribute.Int("n", 1))
		s.End()
		o.note("fields %t", slices.Contains(o.Fields(), "traceparent") && slices.Contains(o.Fields(), "tracestate") && slices.Contains(o.Fields(), "baggage"))
	},
}

// TestProgramsSeeWhatTheySeeWithTheSDK runs programs that observe their spans, and compares what they have seen.
func TestProgramsSeeWhatTheySeeWithTheSDK(t *testing.T) {
	for name, program := range observations {
		t.Run(name, func(t *testing.T) {
			var notes [2][]string
			c := newCollector(t)
			for i, start := range []func(*testing.T) (tracing, func()){c.tracingOfSDK, c.tracingOfBridge} {
				tr, flush := start(t)
				o := &observer{tracing: tr}
				program(o, context.Background())
				flush()
				notes[i] = o.notes
			}
			if diff := cmp.Diff(notes[0], notes[1]); diff != "" {
				t.Errorf("-sdk +bridge:\n%s", diff)
			}
		})
	}
}
