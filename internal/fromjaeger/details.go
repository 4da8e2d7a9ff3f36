package fromjaeger

import "github.com/spanloom/spanloom/internal/model"

// addDetails moves what OpenTelemetry has recorded of the span to where it belongs.
func (l *Loader) addDetails(d *model.Details) {
	l.Span.Scope = d.Scope
	l.details = d
	l.Span.Dropped.Tags += d.Dropped.Tags
	l.Span.Dropped.Logs += d.Dropped.Logs
	l.Span.Dropped.Refs += d.Dropped.Refs
	l.Span.Dropped.Values += d.Dropped.Values
}

// addLinks puts links in the place of the references that stand for them.
func (l *Loader) addLinks(links []model.Ref) {
	kept := l.Span.Refs[:0]
	for _, r := range l.Span.Refs {
		if !isListed(r, links) {
			kept = append(kept, r)
		}
	}
	l.Span.Refs = append(kept, links...)
}

func isListed(r model.Ref, links []model.Ref) bool {
	for i := range links {
		if r.Type == links[i].Type && r.TraceID == links[i].TraceID && r.SpanID == links[i].SpanID {
			return true
		}
	}
	return false
}
