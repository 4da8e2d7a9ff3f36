package traceview

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"unicode/utf16"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

// importFile takes a file of Jaeger JSON or OTLP JSON, as the pages write them, or of Zipkin or Tempo. It answers for
// [View.ServeHTTP] where the first trace is.
func (v *View) importFile(w http.ResponseWriter, r *http.Request) {
	var first model.TraceID
	rejected, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		body, err := plainFile(body)
		if err != nil {
			return nil, err
		}
		batches, err := v.decodeFile(body)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(batches, func(b model.Batch) bool { return len(b.Spans) > 0 })
		if i < 0 {
			return nil, errNoSpans
		}
		first = batches[i].Spans[0].TraceID
		return batches, nil
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

var errNoSpans = errors.New("this file holds no spans")

// plainFile undoes the compression of a file by gzip, and takes off the byte order mark that some editors write. Files
// in UTF-16, as the redirection of PowerShell writes them, become UTF-8.
func plainFile(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = readAtMost(unzipped, maxBody); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("this file is cut off: its gzip has no end")
		} else if err != nil {
			return nil, err
		}
	}
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if rest, ok := bytes.CutPrefix(body, []byte(mark)); ok {
			units := make([]uint16, len(rest)/2)
			for i := range units {
				units[i] = order.Uint16(rest[2*i:])
			}
			return []byte(string(utf16.Decode(units))), nil
		}
	}
	return bytes.TrimPrefix(body, []byte("\ufeff")), nil
}

// decodeFile reads any kind of file. A file of several lines, each with a JSON value, is taken, too. If its last line
// is cut off, as in a file that a collector still writes, that line counts as refused.
func (v *View) decodeFile(body []byte) (batches []model.Batch, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	spans := 0
	for n := 1; ; n++ {
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			if n > 1 && errors.Is(err, io.ErrUnexpectedEOF) {
				v.refused.Add(1)
				err = io.EOF
			}
			if n > 1 && err == io.EOF {
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
	if list, ok := listOfFiles(value); ok {
		var all []model.Batch
		for _, element := range list {
			batches, err := decodeValue(element)
			if err != nil {
				return nil, err
			}
			all = append(all, batches...)
		}
		return all, nil
	}
	value = unwrapped(value)
	if isOTLP(value) {
		return otlp.DecodeFileJSON(value, decodeLimits)
	}
	return decodeJaegerJSON(value)
}

// listOfFiles returns the elements of a list of OTLP requests, or of traces that are lists of spans, as Zipkin's API
// answers.
func listOfFiles(value []byte) (list []json.RawMessage, ok bool) {
	if json.Unmarshal(value, &list) != nil || len(list) == 0 {
		return nil, false
	}
	return list, isZipkin(list[0]) || isOTLP(unwrapped(list[0]))
}

// unwrapped returns the OTLP request in an answer of version 3 of Jaeger's query API or of Tempo, which calls
// resourceSpans batches, as Grafana does in the files that it saves.
func unwrapped(value []byte) []byte {
	var answer struct {
		Result json.RawMessage `json:"result"` // Jaeger
		Trace  json.RawMessage `json:"trace"`  // Tempo, version 2
	}
	if json.Unmarshal(value, &answer) != nil {
		return value
	}
	for _, inner := range []json.RawMessage{answer.Result, answer.Trace} {
		if inner = unwrappedBatches(inner); isOTLP(inner) {
			return inner
		}
	}
	return unwrappedBatches(value)
}

func unwrappedBatches(value []byte) []byte {
	var trace struct {
		Batches json.RawMessage `json:"batches"`
	}
	if json.Unmarshal(value, &trace) != nil || trace.Batches == nil {
		return value
	}
	return slices.Concat([]byte(`{"resourceSpans":`), trace.Batches, []byte("}"))
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
