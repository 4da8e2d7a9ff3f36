package traceview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

// importFile takes a file of Jaeger JSON or OTLP JSON, as the pages write them, and answers where its first trace is.
func (v *View) importFile(w http.ResponseWriter, r *http.Request) {
	var first model.TraceID
	rejected, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		batches, err := decodeFile(body)
		for i := range batches {
			if len(batches[i].Spans) > 0 {
				first = batches[i].Spans[0].TraceID
				break
			}
		}
		return batches, err
	})
	if err != nil {
		status, message := refusalOf(err)
		http.Error(w, message, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct { // the browser has gone
		Trace    string `json:"trace"`
		Rejected int    `json:"rejected,omitempty"`
	}{traceHex(first), rejected})
}

// decodeFile reads either kind of file. A file of several lines, each with a JSON value, is taken, too.
func decodeFile(body []byte) (batches []model.Batch, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	spans := 0
	for n := 1; ; n++ {
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			if n > 1 && !dec.More() {
				return batches, nil
			}
			return nil, fmt.Errorf("this file is not JSON: %w", err)
		}
		decode := decodeJaegerJSON
		if isOTLP(value) {
			decode = func(b []byte) ([]model.Batch, error) { return otlp.DecodeRequestJSON(b, decodeLimits) }
		}
		more, err := decode(value)
		if err != nil {
			return nil, err
		}
		for i := range more {
			spans += len(more[i].Spans)
		}
		if spans > decodeLimits.Spans {
			return nil, model.ErrTooLarge
		}
		batches = append(batches, more...)
	}
}

// isOTLP reports whether a JSON object has the field that every OTLP request of traces has.
func isOTLP(body []byte) bool {
	fields := topFields(body)
	return fields["resourceSpans"] || fields["resource_spans"]
}

// isJaegerJSON reports whether a JSON value is a file of Jaeger's UI.
func isJaegerJSON(body []byte) bool {
	fields := topFields(body)
	return !fields["resourceSpans"] && (fields["data"] || fields["spans"] && fields["processes"])
}

// topFields are the names of the fields of a JSON object.
func topFields(body []byte) map[string]bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	names := map[string]bool{}
	for name := range object {
		names[name] = true
	}
	return names
}
