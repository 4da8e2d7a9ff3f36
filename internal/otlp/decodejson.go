package otlp

import (
	"github.com/spanloom/spanloom/internal/model"
)

// DecodeRequestJSON is DecodeRequest for the JSON encoding of OTLP: ids are hexadecimal, 64-bit numbers may be
// strings, enumerations numbers or names. Names of OTLP before 0.15 are read, too.
func DecodeRequestJSON(body []byte, lim model.DecodeLimits) ([]model.Batch, error) {
	return decodeJSON(newJSONReader(body), lim)
}

// DecodeFileJSON is [DecodeRequestJSON] for files, in which ids may also be in base64: the generic JSON of protobuf
// messages, which Tempo answers with, has them so. No receiver of OTLP takes them.
func DecodeFileJSON(body []byte, lim model.DecodeLimits) ([]model.Batch, error) {
	r := newJSONReader(body)
	r.base64IDs = true
	return decodeJSON(r, lim)
}

func decodeJSON(r *jsonReader, lim model.DecodeLimits) ([]model.Batch, error) {
	d := jsonDecoder{r: r, in: model.NewBuilder(lim)}
	var batches []model.Batch
	d.r.object(func(name string) {
		d.each(name, "resourceSpans", func() { batches = d.in.Batch(batches, d.resourceSpans()) })
	})
	d.r.end()
	if err := d.err(); err != nil {
		return nil, err
	}
	return batches, nil
}

type jsonDecoder struct {
	r  *jsonReader
	in *model.Builder
}

func (d jsonDecoder) err() error {
	if d.r.err != nil {
		return d.r.err
	}
	return d.in.Err()
}

// each reads the member called name: an array if that is the wanted one, whatever else is skipped.
func (d jsonDecoder) each(name, wanted string, visit func()) {
	if name == wanted {
		d.r.array(visit)
	} else {
		d.r.skip()
	}
}

func (d jsonDecoder) text() string { return d.in.Text([]byte(d.r.text())) }
func (d jsonDecoder) key() string  { return d.in.Key([]byte(d.r.text())) }

func (d jsonDecoder) resourceSpans() model.Batch {
	var attributes []model.Tag
	var spans []model.Span
	d.r.object(func(name string) {
		if name == "resource" {
			d.r.object(func(name string) {
				d.each(name, "attributes", func() { attributes = d.tag(attributes) })
			})
			return
		}
		if name == "instrumentationLibrarySpans" { // before OTLP 0.15
			name = "scopeSpans"
		}
		d.each(name, "scopeSpans", func() { spans = d.scopeSpans(spans) })
	})
	return batchOf(attributes, spans)
}

func (d jsonDecoder) scopeSpans(spans []model.Span) []model.Span {
	var scope, version string
	from := len(spans)
	d.r.object(func(name string) {
		if name == "scope" || name == "instrumentationLibrary" {
			d.r.object(func(name string) {
				switch name {
				case "name":
					scope = d.key()
				case "version":
					version = d.key()
				default:
					d.r.skip()
				}
			})
			return
		}
		d.each(name, "spans", func() {
			p := d.span()
			spans = d.in.Span(spans, &p.Span)
		})
	})
	addScope(d.in, spans[from:], scope, version)
	return spans
}

func (d jsonDecoder) span() (p spanParts) {
	d.r.object(func(name string) {
		switch name {
		case "traceId":
			p.TraceID = d.traceID()
		case "spanId":
			p.SpanID = d.spanID()
		case "parentSpanId":
			p.ParentID = d.spanID()
		case "traceState":
			p.TraceState = d.text()
		case "name":
			p.Name = d.key()
		case "kind":
			p.kind = d.r.enum("SPAN_KIND_", kindNames[:])
		case "startTimeUnixNano":
			p.start = d.r.uint()
		case "endTimeUnixNano":
			p.end = d.r.uint()
		case "flags":
			flags := d.r.uint()
			p.Flags, p.Random = byte(flags)&1, flags&flagRandom != 0
		case "attributes":
			d.r.array(func() { p.Tags = d.tag(p.Tags) })
		case "events":
			d.r.array(func() { p.Logs = d.event(p.Logs) })
		case "links":
			d.r.array(func() { p.Refs = d.link(p.Refs) })
		case "status":
			d.status(&p)
		default:
			d.r.skip()
		}
	})
	if d.r.err == nil {
		d.r.err = p.finish(d.in)
	}
	return p
}

func (d jsonDecoder) status(p *spanParts) {
	d.r.object(func(name string) {
		switch name {
		case "message":
			p.message = d.text()
		case "code":
			p.status = d.r.enum("STATUS_CODE_", statusNames[:])
		default:
			d.r.skip()
		}
	})
}

func (d jsonDecoder) event(logs []model.Log) []model.Log {
	var ns uint64
	var event string
	var attributes []model.Tag
	d.r.object(func(name string) {
		switch name {
		case "timeUnixNano":
			ns = d.r.uint()
		case "name":
			event = d.key()
		default:
			d.each(name, "attributes", func() { attributes = d.tag(attributes) })
		}
	})
	return d.in.Log(logs, logOf(d.in, ns, event, attributes))
}

func (d jsonDecoder) link(refs []model.Ref) []model.Ref {
	var trace model.TraceID
	var span uint64
	var attributes []model.Tag
	d.r.object(func(name string) {
		switch name {
		case "traceId":
			trace = d.traceID()
		case "spanId":
			span = d.spanID()
		default:
			d.each(name, "attributes", func() { attributes = d.tag(attributes) })
		}
	})
	if r, ok := refOf(trace, span, attributes); ok {
		refs = d.in.Ref(refs, r)
	}
	return refs
}

func (d jsonDecoder) traceID() model.TraceID {
	id, err := traceID(d.r.hex())
	if err != nil {
		d.r.fail(err)
	}
	return id
}

func (d jsonDecoder) spanID() uint64 {
	id, err := spanID(d.r.hex())
	if err != nil {
		d.r.fail(err)
	}
	return id
}
