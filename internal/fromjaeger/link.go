package fromjaeger

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// addLinkOfTags adds the reference that is written in the tags of a span at a public endpoint or of a resend, unless s
// has a reference to that span already.
func addLinkOfTags(s *model.Span) {
	var traceID, spanID string
	for i := range s.Tags {
		if s.Tags[i].Value.IsLiteral() {
			continue // an attribute of that name
		}
		switch t := &s.Tags[i]; t.Key {
		case semconv.KeyLinkTraceID:
			traceID = t.Value.Str()
		case semconv.KeyLinkSpanID:
			spanID = t.Value.Str()
		}
	}
	link, ok := parseLink(traceID, spanID)
	if !ok {
		return
	}
	for _, r := range s.Refs {
		if r.TraceID == link.TraceID && r.SpanID == link.SpanID {
			return
		}
	}
	s.Refs = append(s.Refs, link)
}

func parseLink(traceID, spanID string) (r model.Ref, ok bool) {
	if len(traceID) == 0 || len(traceID) > 32 || len(spanID) == 0 || len(spanID) > 16 {
		return r, false
	}
	cut := max(len(traceID)-16, 0)
	var err1, err2, err3 error
	if cut > 0 {
		r.TraceID.High, err1 = strconv.ParseUint(traceID[:cut], 16, 64)
	}
	r.TraceID.Low, err2 = strconv.ParseUint(traceID[cut:], 16, 64)
	r.SpanID, err3 = strconv.ParseUint(spanID, 16, 64)
	r.Type = model.FollowsFrom
	return r, err1 == nil && err2 == nil && err3 == nil && r.TraceID != model.TraceID{} && r.SpanID != 0
}
