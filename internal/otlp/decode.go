package otlp

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// DecodeRequest reads an ExportTraceServiceRequest in protobuf: one batch for each resource. It keeps no part of body.
// An error means that nothing was read: body is malformed, an id is missing or of the wrong length, or a limit is
// passed (model.ErrTooLarge).
func DecodeRequest(body []byte, lim model.DecodeLimits) ([]model.Batch, error) {
	d := decoder{in: model.NewBuilder(lim)}
	var batches []model.Batch
	err := eachField(body, func(f field) error {
		if f.num != requestResourceSpans || f.typ != protowire.BytesType {
			return nil
		}
		b, err := d.resourceSpans(f.bytes)
		batches = d.in.Batch(batches, b)
		return err
	})
	if err == nil {
		err = d.in.Err()
	}
	if err != nil {
		return nil, err
	}
	return batches, nil
}

type decoder struct{ in *model.Builder }

// messages calls visit for each field of the message b that has a length, as all nested messages, texts and bytes have.
func messages(b []byte, visit func(num protowire.Number, b []byte) error) error {
	return eachField(b, func(f field) error {
		if f.typ != protowire.BytesType {
			return nil
		}
		return visit(f.num, f.bytes)
	})
}

func (d decoder) resourceSpans(b []byte) (model.Batch, error) {
	var attributes []model.Tag
	var spans []model.Span
	err := messages(b, func(num protowire.Number, b []byte) (err error) {
		switch num {
		case resourceSpansResource:
			return messages(b, func(num protowire.Number, b []byte) (err error) {
				if num == resourceAttributes {
					attributes, err = d.tag(attributes, b)
				}
				return err
			})
		case resourceSpansScopeSpans, resourceSpansOldSpans:
			spans, err = d.scopeSpans(spans, b)
		}
		return err
	})
	return batchOf(attributes, spans), err
}

func (d decoder) scopeSpans(spans []model.Span, b []byte) ([]model.Span, error) {
	var name, version string
	from := len(spans)
	err := messages(b, func(num protowire.Number, b []byte) error {
		switch num {
		case scopeSpansScope:
			return messages(b, func(num protowire.Number, b []byte) error {
				switch num {
				case scopeName:
					name = d.in.Key(b)
				case scopeVersion:
					version = d.in.Key(b)
				}
				return nil
			})
		case scopeSpansSpans:
			p, err := d.span(b)
			if err != nil {
				return err
			}
			spans = d.in.Span(spans, &p.Span)
		}
		return nil
	})
	addScope(d.in, spans[from:], name, version)
	return spans, err
}

func (d decoder) span(b []byte) (p spanParts, err error) {
	err = eachField(b, func(f field) error {
		switch {
		case f.num == spanKind && f.typ == protowire.VarintType:
			p.kind = f.uint
		case f.num == spanStart && f.typ == protowire.Fixed64Type:
			p.start = f.uint
		case f.num == spanEnd && f.typ == protowire.Fixed64Type:
			p.end = f.uint
		case f.num == spanFlags && f.typ == protowire.Fixed32Type:
			p.Flags, p.Random = byte(f.uint)&1, f.uint&flagRandom != 0
		case f.typ == protowire.BytesType:
			return d.spanPart(&p, f.num, f.bytes)
		}
		return nil
	})
	if err == nil {
		err = p.finish(d.in)
	}
	return p, err
}

func (d decoder) spanPart(p *spanParts, num protowire.Number, b []byte) (err error) {
	switch num {
	case spanTraceID:
		p.TraceID, err = traceID(b)
	case spanSpanID:
		p.SpanID, err = spanID(b)
	case spanParentID:
		p.ParentID, err = spanID(b)
	case spanTraceState:
		p.TraceState = d.in.Text(b)
	case spanName:
		p.Name = d.in.Key(b)
	case spanAttributes:
		p.Tags, err = d.tag(p.Tags, b)
	case spanEvents:
		p.Logs, err = d.event(p.Logs, b)
	case spanLinks:
		p.Refs, err = d.link(p.Refs, b)
	case spanStatus:
		err = eachField(b, func(f field) error {
			switch {
			case f.num == statusMessage && f.typ == protowire.BytesType:
				p.message = d.in.Text(f.bytes)
			case f.num == statusCode && f.typ == protowire.VarintType:
				p.status = f.uint
			}
			return nil
		})
	}
	return err
}

func (d decoder) event(logs []model.Log, b []byte) ([]model.Log, error) {
	var ns uint64
	var name string
	var attributes []model.Tag
	err := eachField(b, func(f field) (err error) {
		switch {
		case f.num == eventTime && f.typ == protowire.Fixed64Type:
			ns = f.uint
		case f.num == eventNameField && f.typ == protowire.BytesType:
			name = d.in.Key(f.bytes)
		case f.num == eventAttributes && f.typ == protowire.BytesType:
			attributes, err = d.tag(attributes, f.bytes)
		}
		return err
	})
	return d.in.Log(logs, logOf(d.in, ns, name, attributes)), err
}

func (d decoder) link(refs []model.Ref, b []byte) ([]model.Ref, error) {
	var trace model.TraceID
	var span uint64
	var attributes []model.Tag
	err := messages(b, func(num protowire.Number, b []byte) (err error) {
		switch num {
		case linkTraceID:
			trace, err = traceID(b)
		case linkSpanID:
			span, err = spanID(b)
		case linkAttributes:
			attributes, err = d.tag(attributes, b)
		}
		return err
	})
	if r, ok := refOf(trace, span, attributes); ok {
		refs = d.in.Ref(refs, r)
	}
	return refs, err
}

// traceID reads an id of 16 bytes; none at all is the zero id.
func traceID(b []byte) (id model.TraceID, err error) {
	switch len(b) {
	case 0:
	case 16:
		id = model.TraceID{High: binary.BigEndian.Uint64(b), Low: binary.BigEndian.Uint64(b[8:])}
	default:
		err = fmt.Errorf("otlp: trace id of %d bytes, want 16", len(b))
	}
	return id, err
}

func spanID(b []byte) (id uint64, err error) {
	switch len(b) {
	case 0:
	case 8:
		id = binary.BigEndian.Uint64(b)
	default:
		err = fmt.Errorf("otlp: span id of %d bytes, want 8", len(b))
	}
	return id, err
}
