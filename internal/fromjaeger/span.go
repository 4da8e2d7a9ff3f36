package fromjaeger

import (
	"slices"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
	"github.com/spanloom/spanloom/internal/model"
)

// Loader copies spans one after the other into its Span, whose slices it reuses. It is for one goroutine at a time.
type Loader struct {
	Span       model.Span                      // the copy; what the limits took away is counted in it
	Limits     model.Limits                    // zero: none
	TraceState func(jaeger.SpanContext) string // returns the W3C tracestate of a span's trace; nil: there is none
	IsRandom   func(jaeger.SpanContext) bool   // reports the W3C flag of random trace ids; nil: it is not known

	simpleOnly bool           // refuse values with methods
	refused    bool           // there was such a value
	index      map[tagID]int  // of Span.Tags, once there are many
	log        *model.Log     // to which fields are added
	details    *model.Details // of the span, or nil
}

// Load replaces l.Span by a copy of the finished span src. It may call methods of the application's values; one that
// panics yields "<panic>".
func (l *Loader) Load(src *jaeger.Span) {
	if l.LoadSimple(src) {
		return
	}
	l.start(src.SpanContext(), src.OperationName(), src.StartTime(), src.Duration())
	for _, t := range tagsOf(src) {
		l.setTag(t.Key, t.Value)
	}
	for _, r := range src.Logs() {
		l.addLog(r)
	}
	for _, r := range src.References() {
		if sc, ok := r.ReferencedContext.(jaeger.SpanContext); ok {
			l.addRef(r.Type, sc)
		}
	}
	l.end()
}

// LoadSimple does what [Loader.Load] does without calling a method of the application's values. It returns false, and
// l.Span is of no use, if a value has methods that Load would call.
func (l *Loader) LoadSimple(src *jaeger.Span) bool {
	if !jaegerspan.LayoutMatches() {
		return false
	}
	src.RLock()
	fields := jaegerspan.Fields(src)
	l.start(*fields.Context.Jaeger(), fields.OperationName, fields.StartTime, fields.Duration)
	l.simpleOnly = true
	l.copyFields(fields)
	src.RUnlock()
	if l.refused {
		return false
	}
	l.end()
	return true
}

// maxKept is the length up to which slices are kept to be used again.
const maxKept = 256

// Reset forgets the span, so that a Loader that waits in a pool holds nothing of the application's.
func (l *Loader) Reset() {
	s := &l.Span
	clear(s.Tags)
	for i := range s.Logs {
		clear(s.Logs[i].Fields)
		s.Logs[i].Fields = s.Logs[i].Fields[:0]
	}
	*s = model.Span{Tags: s.Tags[:0], Logs: s.Logs[:0], Refs: s.Refs[:0]}
	if cap(s.Tags) > maxKept || cap(s.Logs) > maxKept {
		*s = model.Span{}
	}
	l.index, l.log, l.details = nil, nil, nil
}

// start makes l.Span a span without tags, logs and references.
func (l *Loader) start(sc jaeger.SpanContext, name string, at time.Time, lasted time.Duration) {
	l.Span = model.Span{
		TraceID:  traceID(sc),
		SpanID:   uint64(sc.SpanID()),
		ParentID: uint64(sc.ParentID()),
		Flags:    sc.Flags(),
		Name:     name,
		Start:    at,
		Duration: duration(lasted),
		Tags:     l.Span.Tags[:0],
		Logs:     l.Span.Logs[:0],
		Refs:     l.Span.Refs[:0],
	}
	if l.TraceState != nil {
		l.Span.TraceState = l.TraceState(sc)
	}
	l.Span.Random = l.IsRandom != nil && l.IsRandom(sc)
	l.Span.Parent = model.LocalityUnknown
	if l.Span.ParentID == 0 {
		l.Span.Parent = model.Local
	}
	l.simpleOnly, l.refused, l.index, l.details = false, false, nil, nil
}

// copyFields reads tags, logs and references where they are, under the lock of their span.
func (l *Loader) copyFields(src *jaegerspan.Span) {
	l.refused = src.NumDroppedLogs > 0 // the logs are not in their order yet
	for i := range src.Tags {
		l.setTag(src.Tags[i].Key, src.Tags[i].Value)
	}
	for i := range src.Logs {
		l.addLog(src.Logs[i])
	}
	for i := range src.References {
		l.addRef(src.References[i].Type, src.References[i].Context)
		if i == 0 && l.Span.ParentID != 0 {
			l.Span.Parent = localityOf(&src.References[0].Context)
		}
	}
}

func (l *Loader) end() {
	l.limitTags()
	if l.details != nil {
		l.addLinks(l.details.Links)
		l.details = nil
	}
	addLinkOfTags(&l.Span)
	l.log = nil
}

func traceID(sc jaeger.SpanContext) model.TraceID {
	return model.TraceID{High: sc.TraceID().High, Low: sc.TraceID().Low}
}

func localityOf(parent *jaeger.SpanContext) model.Locality {
	if jaegerspan.ContextFields(parent).Remote {
		return model.Remote
	}
	return model.Local
}

// duration keeps a span that lasted less than a microsecond from lasting nothing, which Jaeger takes for a fault. It
// does so for all exporters, since thrift has microseconds and OTLP has nanoseconds.
func duration(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return max(d, time.Microsecond)
}

// addRef adds a reference, unless ParentID states it already.
func (l *Loader) addRef(typ opentracing.SpanReferenceType, sc jaeger.SpanContext) {
	ref := model.Ref{TraceID: traceID(sc), SpanID: uint64(sc.SpanID())}
	if typ == opentracing.FollowsFromRef {
		ref.Type = model.FollowsFrom
	} else if ref.SpanID == l.Span.ParentID && ref.TraceID == l.Span.TraceID {
		return
	}
	l.Span.Refs = append(l.Span.Refs, ref)
}

// tagsOf returns the tags in the order in which they were set, where the layout of the span is known.
func tagsOf(src *jaeger.Span) []opentracing.Tag {
	if jaegerspan.LayoutMatches() {
		src.RLock()
		defer src.RUnlock()
		return slices.Clone(jaegerspan.Fields(src).Tags)
	}
	var tags []opentracing.Tag
	for k, v := range src.Tags() {
		tags = append(tags, opentracing.Tag{Key: k, Value: v})
	}
	slices.SortFunc(tags, byKey)
	return tags
}
