package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// custom is an error with a type of its own.
type custom struct{ code int }

func (c custom) Error() string { return fmt.Sprint("code ", c.code) }

func when(n time.Duration) trace.EventOption { return trace.WithTimestamp(at.Add(n)) }

func TestEventsAreThoseOfTheSDK(t *testing.T) {
	event := func(name string, opts ...trace.EventOption) recording {
		return recording{record: func(s trace.Span) { s.AddEvent(name, append(opts, when(7))...) }}
	}
	failure := func(err error, opts ...trace.EventOption) recording {
		return recording{record: func(s trace.Span) { s.RecordError(err, append(opts, when(7))...) }}
	}
	one := trace.WithAttributes(attribute.Int("n", 1))
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"event":                       event("e", one),
		"without attributes":          event("e"),
		"without a name":              event(""),
		"log":                         event("log", trace.WithAttributes(attribute.String("event", "x"))),
		"error":                       event("error", trace.WithAttributes(attribute.String("message", "m"), attribute.String("error.kind", "k"))),
		"with an event":               event("e", trace.WithAttributes(attribute.String("event", "other"), attribute.Int("event", 1))),
		"dropped":                     event("dropped Span logs", trace.WithAttributes(attribute.Int("dropped_log_count", 7))),
		"exception":                   event("exception", one),
		"baggage":                     event("baggage", trace.WithAttributes(attribute.String("key", "k"), attribute.String("value", "v"))),
		"umlaut":                      event("ü"),
		"long name":                   event(strings.Repeat("n", 5000)),
		"two lists of attributes":     event("e", one, trace.WithAttributes(attribute.Int("m", 2))),
		"before the start":            event("e", when(-time.Hour)),
		"in disorder":                 {record: func(s trace.Span) { s.AddEvent("b", when(2)); s.AddEvent("a", when(1)); s.AddEvent("c", when(3)) }},
		"at one time":                 {record: func(s trace.Span) { s.AddEvent("b", when(2)); s.AddEvent("a", when(2)) }},
		"RecordError":                 failure(errors.New("boom")),
		"RecordError of a type":       failure(custom{7}, one),
		"RecordError of a pointer":    failure(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}),
		"RecordError wrapped":         failure(fmt.Errorf("outer: %w", custom{7})),
		"RecordError joined":          failure(errors.Join(custom{7}, errors.New("boom"))),
		"RecordError nil":             failure(nil),
		"RecordError without a text":  failure(errors.New("")),
		"RecordError of the same key": failure(custom{1}, trace.WithAttributes(attribute.String("exception.type", "mine"), attribute.String("exception.message", "mine"))),
		"RecordError and a status":    {record: func(s trace.Span) { s.RecordError(custom{1}, when(1)); s.SetStatus(codes.Error, "failed") }},
	})
}

func TestStatusIsThatOfTheSDK(t *testing.T) {
	type status struct {
		code        codes.Code
		description string
	}
	statuses := func(list ...status) recording {
		return recording{record: func(s trace.Span) {
			for _, one := range list {
				s.SetStatus(one.code, one.description)
			}
		}}
	}
	failed, ok, unset := status{codes.Error, "d"}, status{codes.Ok, "ignored"}, status{codes.Unset, "ignored"}
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"unset":                        statuses(unset),
		"ok":                           statuses(ok),
		"error":                        statuses(failed),
		"error without a description":  statuses(status{codes.Error, ""}),
		"error, then another":          statuses(failed, status{codes.Error, "e"}),
		"error, then one without":      statuses(failed, status{codes.Error, ""}),
		"error, then ok":               statuses(failed, ok),
		"ok, then error":               statuses(ok, failed),
		"error, then unset":            statuses(failed, unset),
		"ok, then unset":               statuses(ok, unset),
		"unknown":                      statuses(status{codes.Code(7), "d"}),
		"long":                         statuses(status{codes.Error, strings.Repeat("ü", 4000)}),
		"with attributes of meaning":   {record: func(s trace.Span) { s.SetAttributes(withMeaning()...); s.SetStatus(codes.Error, "d") }},
		"attributes of meaning after":  {record: func(s trace.Span) { s.SetStatus(codes.Ok, ""); s.SetAttributes(withMeaning()...) }},
		"error attribute without one":  {record: func(s trace.Span) { s.SetAttributes(attribute.Bool("error", true)) }},
		"error attribute of a text":    {record: func(s trace.Span) { s.SetAttributes(attribute.String("error", "boom")) }},
		"error attribute, then status": {record: func(s trace.Span) { s.SetAttributes(attribute.Bool("error", false)); s.SetStatus(codes.Error, "") }},
	})
}

func TestKindsAreThoseOfTheSDK(t *testing.T) {
	rows := map[string]recording{}
	for kind := trace.SpanKindUnspecified; kind <= trace.SpanKindConsumer+1; kind++ {
		rows[fmt.Sprint("kind ", int(kind))] = recording{start: []trace.SpanStartOption{trace.WithSpanKind(kind)}}
		rows[fmt.Sprint("kind with attributes of meaning ", int(kind))] = recording{
			start:  []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(withMeaning()...)},
			record: func(s trace.Span) { s.SetAttributes(attribute.String("span.kind", "server")) },
		}
	}
	rows["kind twice"] = recording{start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithSpanKind(trace.SpanKindClient)}}
	testSpansAreThoseOfTheSDK(t, rows)
}

func TestNamesAndScopesAreThoseOfTheSDK(t *testing.T) {
	scoped := func(opts ...trace.TracerOption) recording { return recording{tracer: opts} }
	named := func(name string, opts ...trace.TracerOption) recording {
		return recording{program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer(name, opts...).Start(ctx, "s", trace.WithTimestamp(at))
			s.End(trace.WithTimestamp(at.Add(time.Second)))
		}}
	}
	start := func(name string, change ...string) recording {
		return recording{program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer("lib").Start(ctx, name, trace.WithTimestamp(at))
			for _, n := range change {
				s.SetName(n)
			}
			s.End(trace.WithTimestamp(at.Add(time.Second)))
		}}
	}
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"version":    scoped(trace.WithInstrumentationVersion("v1")),
		"schema":     scoped(trace.WithSchemaURL("https://opentelemetry.io/schemas/1.40.0")),
		"all":        scoped(trace.WithInstrumentationVersion("v1"), trace.WithSchemaURL("x"), trace.WithInstrumentationAttributes(attribute.Int("n", 1))),
		"long scope": named(strings.Repeat("n", 5000), trace.WithInstrumentationVersion(strings.Repeat("v", 5000))),
		"random trace id": {program: func(ctx context.Context, p trace.TracerProvider) {
			ctx = trace.ContextWithRemoteSpanContext(ctx, link.WithTraceFlags(3))
			ctx, s := p.Tracer("lib").Start(ctx, "s", trace.WithTimestamp(at))
			_, c := p.Tracer("lib").Start(ctx, "c", trace.WithTimestamp(at))
			c.End(trace.WithTimestamp(at))
			s.End(trace.WithTimestamp(at))
		}},
		"no name":      start(""),
		"name changed": start("a", "b", "c"),
		"name emptied": start("a", ""),
		"long name":    start(strings.Repeat("ü", 5000)),
	})
}

func TestLinksAreThoseOfTheSDK(t *testing.T) {
	state, err := trace.ParseTraceState("a=b,c=d")
	if err != nil {
		t.Fatal(err)
	}
	with := func(l ...trace.Link) recording {
		return recording{start: []trace.SpanStartOption{trace.WithLinks(l...)}, record: func(s trace.Span) {
			for _, l := range l {
				s.AddLink(l)
			}
		}}
	}
	n := []attribute.KeyValue{attribute.Int("n", 1)}
	noSpanID := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}})
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"remote":                  with(trace.Link{SpanContext: link}),
		"local":                   with(trace.Link{SpanContext: link.WithRemote(false)}),
		"unsampled":               with(trace.Link{SpanContext: link.WithTraceFlags(0)}),
		"random":                  with(trace.Link{SpanContext: link.WithTraceFlags(3)}),
		"attributes":              with(trace.Link{SpanContext: link, Attributes: n}),
		"two of one":              with(trace.Link{SpanContext: link, Attributes: n}, trace.Link{SpanContext: link}),
		"none":                    with(trace.Link{}),
		"invalid with attributes": with(trace.Link{Attributes: n}),
		"without a span id":       with(trace.Link{SpanContext: noSpanID, Attributes: n}),
		"with a state alone":      with(trace.Link{SpanContext: trace.SpanContext{}.WithTraceState(state)}),
		"with a tracestate":       with(trace.Link{SpanContext: link.WithTraceState(state)}),
		"to itself":               {record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link.WithTraceID(s.SpanContext().TraceID())}) }},
		"to the parent": {program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer("lib").Start(ctx, "s", trace.WithTimestamp(at), trace.WithLinks(trace.LinkFromContext(ctx)))
			s.End(trace.WithTimestamp(at))
		}},
		"of a root": {program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer("lib").Start(ctx, "s", trace.WithTimestamp(at), trace.WithNewRoot(),
				trace.WithLinks(trace.LinkFromContext(ctx, attribute.Int("n", 1))))
			s.End(trace.WithTimestamp(at))
		}},
		"of a root, later": {program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer("lib").Start(context.Background(), "s", trace.WithTimestamp(at))
			s.AddLink(trace.Link{SpanContext: link})
			s.End(trace.WithTimestamp(at))
		}},
	})
}

func TestTimesAreThoseOfTheSDK(t *testing.T) {
	from := func(start, end time.Time) recording {
		return recording{program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer("lib").Start(ctx, "s", trace.WithTimestamp(start))
			s.End(trace.WithTimestamp(end))
		}}
	}
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"a second":        from(at, at.Add(time.Second)),
		"nothing":         from(at, at),
		"a century":       from(at.AddDate(-50, 0, 0), at.AddDate(50, 0, 0)),
		"in another zone": from(at.In(time.FixedZone("z", 3600)), at.Add(time.Second).In(time.FixedZone("y", -3600))),
	})
}
