package traceview

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

// importFile takes a file of Jaeger JSON or OTLP JSON, as the pages write them, or of Zipkin JSON. It answers where the
// first trace is.
func (v *View) importFile(w http.ResponseWriter, r *http.Request) {
	var first model.TraceID
	rejected, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		body, err := plainFile(body)
		if err != nil {
			return nil, err
		}
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

// plainFile undoes the compression of a file by gzip, and takes off the byte order mark that some editors write.
func plainFile(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = readAtMost(unzipped, maxBody); err != nil {
			return nil, err
		}
	}
	return bytes.TrimPrefix(body, []byte("\ufeff")), nil
}

// decodeFile reads any kind of file. A file of several lines, each with a JSON value, is taken, too.
func decodeFile(body []byte) (batches []model.Batch, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	spans := 0
	for n := 1; ; n++ {
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			if n > 1 && !dec.More() {
				return batches, nil
			}
			return nil, notJSON(err)
		}
		more, err := decodeValue(value)
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

func notJSON(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("this file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("this file is cut off: its JSON has no end")
	}
	return fmt.Errorf("this file is not JSON: %w", err)
}

// decodeValue reads a JSON value as what its fields say that it is.
func decodeValue(value []byte) ([]model.Batch, error) {
	if isZipkin(value) {
		return decodeZipkinJSON(value)
	}
	var answer struct {
		Result json.RawMessage `json:"result"` // of version 3 of Jaeger's query API
	}
	if json.Unmarshal(value, &answer) == nil && isOTLP(answer.Result) {
		value = answer.Result
	}
	if isOTLP(value) {
		return otlp.DecodeRequestJSON(value, decodeLimits)
	}
	return decodeJaegerJSON(value)
}

// isZipkin reports whether a JSON value is a list of Zipkin's spans, which write the id of the trace in another way
// than Jaeger's.
func isZipkin(value []byte) bool {
	var list []map[string]json.RawMessage
	return json.Unmarshal(value, &list) == nil && len(list) > 0 && list[0]["traceId"] != nil && list[0]["id"] != nil
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
