package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// TestRandomProgramsAreThoseOfTheSDK under several limits. The number of a program is its seed.
func TestRandomProgramsAreThoseOfTheSDK(t *testing.T) {
	programs := map[string]recording{}
	for seed := range uint64(25) {
		programs[fmt.Sprint(seed)] = recording{program: func(ctx context.Context, p trace.TracerProvider) {
			r := randomProgram{Rand: rand.New(rand.NewPCG(seed, 1)), provider: p}
			r.run(ctx)
		}}
	}
	for _, limit := range []string{"", "1", "5"} {
		t.Run("limit "+limit, func(t *testing.T) {
			for _, name := range []string{"SPAN_ATTRIBUTE_COUNT", "SPAN_EVENT_COUNT", "SPAN_LINK_COUNT", "EVENT_ATTRIBUTE_COUNT", "LINK_ATTRIBUTE_COUNT"} {
				t.Setenv("OTEL_"+name+"_LIMIT", limit)
			}
			testSpansAreThoseOfTheSDK(t, programs)
		})
	}
}

// randomProgram starts spans below each other, and does with them what a library can, in any order.
type randomProgram struct {
	*rand.Rand
	provider trace.TracerProvider
	contexts []context.Context // with a span in each but the first
}

func (r *randomProgram) run(ctx context.Context) {
	r.contexts = []context.Context{ctx}
	for step := range 40 {
		ctx := r.contexts[r.IntN(len(r.contexts))]
		if r.IntN(4) == 0 || ctx == r.contexts[0] {
			r.start(ctx, fmt.Sprint("span ", step))
			continue
		}
		r.use(trace.SpanFromContext(ctx), step)
	}
	for _, ctx := range r.contexts[1:] {
		trace.SpanFromContext(ctx).End(trace.WithTimestamp(at.Add(2 * time.Second)))
	}
}

func (r *randomProgram) start(ctx context.Context, name string) {
	opts := []trace.SpanStartOption{
		trace.WithTimestamp(r.time()), trace.WithSpanKind(trace.SpanKind(r.IntN(7))), trace.WithAttributes(r.attributes()...),
	}
	if r.IntN(4) == 0 {
		opts = append(opts, trace.WithNewRoot())
	}
	if r.IntN(3) == 0 {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: link, Attributes: r.attributes()}, trace.Link{SpanContext: link.WithRemote(false)}))
	}
	tracer := r.provider.Tracer(fmt.Sprint("lib", r.IntN(2)), trace.WithInstrumentationVersion(fmt.Sprint(r.IntN(2))))
	ctx, _ = tracer.Start(ctx, name, opts...)
	r.contexts = append(r.contexts, ctx)
}

func (r *randomProgram) use(s trace.Span, step int) {
	switch r.IntN(8) {
	case 0, 1:
		s.SetAttributes(r.attributes()...)
	case 2:
		s.AddEvent(fmt.Sprint("event ", step), trace.WithTimestamp(r.time()), trace.WithAttributes(r.attributes()...))
	case 3:
		s.RecordError(errors.New(strings.Repeat("bad", r.IntN(3))), trace.WithTimestamp(r.time()), trace.WithAttributes(r.attributes()...))
	case 4:
		s.SetStatus(codes.Code(r.IntN(3)), fmt.Sprint("status ", step))
	case 5:
		s.AddLink(trace.Link{SpanContext: link, Attributes: r.attributes()})
	case 6:
		s.SetName(fmt.Sprint("renamed ", step))
	case 7:
		if r.IntN(3) == 0 { // and go on using it
			s.End(trace.WithTimestamp(at.Add(time.Second)))
		}
	}
}

func (r *randomProgram) time() time.Time {
	return at.Add(time.Duration(r.IntN(1000)) * time.Microsecond)
}

func (r *randomProgram) attributes() (all []attribute.KeyValue) {
	for range r.IntN(7) {
		all = append(all, r.attribute(fmt.Sprint("k", r.IntN(8)), 0))
	}
	return all
}

func (r *randomProgram) attribute(key string, depth int) attribute.KeyValue {
	text := []string{"", "x", "é☃", "a\x00b", strings.Repeat("ab", 10)}[r.IntN(5)]
	kinds := 11
	if depth > 2 {
		kinds = 9
	}
	switch r.IntN(kinds) {
	case 0:
		return attribute.Bool(key, r.IntN(2) == 0)
	case 1:
		return attribute.Int(key, r.IntN(100)-50)
	case 2:
		return attribute.Float64(key, r.Float64())
	case 3:
		return attribute.StringSlice(key, []string{text, "b"})
	case 4:
		return attribute.IntSlice(key, []int{1, r.IntN(5)})
	case 5:
		return attribute.BoolSlice(key, nil)
	case 6:
		return attribute.ByteSlice(key, []byte(text))
	case 7:
		return attribute.KeyValue{Key: attribute.Key(key)}
	case 8:
		return attribute.String(key, text)
	case 9:
		return attribute.Map(key, r.attribute("m", depth+1), r.attribute("n", depth+1))
	}
	return attribute.Slice(key, r.attribute("", depth+1).Value, r.attribute("", depth+1).Value)
}
