package httpmw

import "net/http"

// sentHeader is what options want of the response's header.
type sentHeader struct {
	traceID string   // value of the header that WithTraceIDHeader names, "" if there is none
	values  []string // of the headers that WithHeaderTags names, as they were sent; nil before
}

// beforeHeader is called before anything that may send the header.
func (o *response) beforeHeader() {
	if o.header != nil && o.header.traceID != "" && o.status == 0 {
		o.removeOtherTraceIDs()
	}
}

// recordHeader is called when the header has been sent. net/http ignores what the handler changes from then on.
func (o *response) recordHeader() {
	tags := o.s.respTags
	if len(tags) == 0 || o.status == 0 || o.hijacked || o.header != nil && o.header.values != nil {
		return
	}
	if o.header == nil {
		o.header = new(sentHeader)
	}
	o.header.values = make([]string, len(tags))
	for i, tag := range tags {
		o.header.values[i] = tag.value(o.inner.Header()[tag.header])
	}
}

// finish is called when the handler has returned: net/http sends the header now, if nothing has been written.
func (o *response) finish() {
	defer o.s.span.RecoverHook()
	if o.inner == nil || o.status != 0 || o.hijacked {
		return
	}
	o.beforeHeader()
	if len(o.s.respTags) > 0 {
		o.status = http.StatusOK
		o.recordHeader()
		o.status = 0
	}
}

// tagHeader adds the tags of the header as it was sent.
func (o *response) tagHeader(t tagWriter) {
	if o.header == nil {
		return
	}
	for i, value := range o.header.values {
		if value != "" {
			t.set(o.s.respTags[i].tag, value)
		}
	}
}
