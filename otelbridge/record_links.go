package otelbridge

import (
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
)

// AddLink implements [trace.Span].
func (s *span) AddLink(l trace.Link) { s.record(func() { s.addLink(l) }) }

// addLink keeps the link for the end.
func (s *span) addLink(l trace.Link) {
	if !l.SpanContext.IsValid() && len(l.Attributes) == 0 && l.SpanContext.TraceState().Len() == 0 {
		return
	}
	if s.jaeger == nil {
		s.addEvent("link", time.Now(), append(l.Attributes[:len(l.Attributes):len(l.Attributes)],
			attribute.String("link.trace_id", l.SpanContext.TraceID().String()),
			attribute.String("link.span_id", l.SpanContext.SpanID().String())))
		return
	}
	d := s.details()
	if most := s.bridge.limits.Links; most >= 0 && len(d.links) >= most {
		d.dropped.Refs++
		if most == 0 {
			return
		}
		d.links = append(d.links[:0], d.links[1:]...)
	}
	d.links = append(d.links, s.linkOf(l))
}

// addReferences makes the links that were kept references, for those who only know OpenTracing. It does so at the end:
// a reference that is given at the start would become the parent of a root span.
func (s *span) addReferences(links []model.Ref) {
	for i := range links[:min(len(links), maxReferences)] {
		if id := links[i].TraceID; links[i].SpanID != 0 && id != (model.TraceID{}) {
			engine.AddReference(s.jaeger, jaeger.Reference{
				Type: opentracing.FollowsFromRef,
				Context: jaeger.NewSpanContext(jaeger.TraceID{High: id.High, Low: id.Low}, jaeger.SpanID(links[i].SpanID), 0,
					links[i].Link.Flags&1 != 0, nil),
			})
		}
	}
}

func (s *span) linkOf(l trace.Link) model.Ref {
	kept := within(l.Attributes, s.bridge.limits.AttributesPerLink)
	id := jaegerContext(l.SpanContext)
	c := converter{limit: s.bridge.limits.ValueLength}
	attributes := c.tags(kept, 1)
	s.countCut(&c)
	return model.Ref{
		Type:    model.FollowsFrom,
		TraceID: model.TraceID{High: id.TraceID().High, Low: id.TraceID().Low},
		SpanID:  uint64(id.SpanID()),
		Link: &model.Link{
			TraceState: l.SpanContext.TraceState().String(), Flags: linkFlags(l.SpanContext),
			Attributes: attributes, Dropped: uint32(len(l.Attributes) - len(kept)),
		},
	}
}
