package traceview

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
)

// Encoding names a message that carries spans.
type Encoding uint8

// The encodings that [View.Receive] reads.
const (
	OTLPProtobuf   Encoding = iota // an ExportTraceServiceRequest
	OTLPJSON                       // the same as JSON
	JaegerThrift                   // a jaeger.thrift Batch in the binary protocol, as collectors take it over HTTP
	JaegerDatagram                 // an emitBatch message in either protocol, as agents take it over UDP
	JaegerJSON                     // a file of Jaeger's UI
	ZipkinJSON                     // a list of spans of Zipkin's API, version 2
)

// Receive stores the spans of one message, for programs that get them by other means than the view's own handler. It
// returns how many of them are over the limit of spans or bytes of one trace. It bounds what a message may hold, but
// not how many it is called with at the same time, which it may be.
func (v *View) Receive(e Encoding, message []byte) (rejected int, err error) {
	batches, err := decodeMessage(e, message)
	if err != nil {
		v.refused.Add(1)
		return 0, err
	}
	return v.store.addBatches(batches), nil
}

func decodeMessage(e Encoding, message []byte) ([]model.Batch, error) {
	one := func(b model.Batch, err error) ([]model.Batch, error) { return []model.Batch{b}, err }
	switch e {
	case OTLPProtobuf:
		return otlp.DecodeRequest(message, decodeLimits)
	case OTLPJSON:
		return otlp.DecodeRequestJSON(message, decodeLimits)
	case JaegerThrift:
		return one(thrift.DecodeBatchBinary(message, decodeLimits))
	case JaegerDatagram:
		if batch, ok := binaryEmitBatch(message); ok {
			return one(thrift.DecodeBatchBinary(batch, decodeLimits))
		}
		return one(thrift.DecodeEmitBatch(message, decodeLimits))
	case JaegerJSON:
		return decodeJaegerJSON(message)
	case ZipkinJSON:
		return decodeZipkinJSON(message)
	}
	return nil, fmt.Errorf("encoding %d is not known", e)
}

// binaryEmitBatch returns the Batch of a call of emitBatch in thrift's binary protocol: its strict header, then the
// struct of arguments with the Batch as its first field and nothing after it.
func binaryEmitBatch(message []byte) (batch []byte, ok bool) {
	const version, name, typeStruct = 0x8001, "emitBatch", 12
	if len(message) < 4+4+len(name)+4+3+1 || binary.BigEndian.Uint16(message) != version {
		return nil, false
	}
	if binary.BigEndian.Uint32(message[4:]) != uint32(len(name)) || string(message[8:8+len(name)]) != name {
		return nil, false
	}
	field := message[8+len(name)+4:]
	if field[0] != typeStruct || binary.BigEndian.Uint16(field[1:]) != 1 || field[len(field)-1] != 0 {
		return nil, false
	}
	return field[3 : len(field)-1], true
}

// addBatches keeps the spans, and returns how many are over the limits of one trace.
func (s *store) addBatches(batches []model.Batch) (rejected int) {
	for i := range batches {
		p := s.process(batches[i].Process)
		for k := range batches[i].Spans {
			if !s.add(p, &batches[i].Spans[k], 0) {
				rejected++
			}
		}
	}
	return rejected
}

const (
	maxLine  = 64 << 20 // bytes of a line of a file that Load reads
	saveLine = 4 << 20  // spans of about so many bytes are a line that Save writes
)

// pinnedEnd ends the line of a pinned trace. Readers of OTLP leave fields out that they do not know.
const pinnedEnd = `,"pinned":true}`

// Save writes the traces that the view keeps to w, the oldest first: for each a line of OTLP JSON, or several lines for
// a trace of many bytes.
func (v *View) Save(w io.Writer) error {
	v.drain()
	out := bufio.NewWriter(w)
	list := v.store.all()
	var line []byte
	for i := range list {
		snap := &list[len(list)-1-i]
		for rest := snap.list; len(rest) > 0; {
			piece := snapshot{snap.summary, rest[:spansOfLine(rest)]}
			rest = rest[len(piece.list):]
			line = otlp.AppendRequestJSON(line[:0], piece.batches())
			if snap.pinned {
				line = append(line[:len(line)-1], pinnedEnd...)
			}
			line = append(line, '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// spansOfLine returns how many of the spans are written as one line.
func spansOfLine(spans []*span) int {
	for i, size := 0, 0; i < len(spans); i++ {
		if size += cost(&spans[i].Span) + spans[i].process.bytes; size > saveLine {
			return i + 1
		}
	}
	return len(spans)
}

// Load stores the traces of a file that [View.Save] wrote. It reads the whole file: lines that cannot be read are left
// out, and the error counts them.
func (v *View) Load(r io.Reader) error {
	lines := bufio.NewReader(r)
	bad, last := 0, error(nil)
	for {
		line, err := readLine(lines, maxLine)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = v.loadLine(line)
		} else if err != model.ErrTooLarge {
			return err
		}
		if err != nil {
			bad, last = bad+1, err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s cannot be read, the last one because of: %w", plural(bad, "line"), last)
	}
	return nil
}

func (v *View) loadLine(line []byte) error {
	if len(line) == 0 {
		return nil
	}
	batches, err := otlp.DecodeRequestJSON(line, decodeLimits)
	if err != nil {
		return err
	}
	v.store.addBatches(batches)
	if bytes.HasSuffix(line, []byte(pinnedEnd)) && len(batches) > 0 && len(batches[0].Spans) > 0 {
		_ = v.store.pin(batches[0].Spans[0].TraceID, true) // more than may be pinned here are kept without
	}
	return nil
}

// readLine returns the next line of r without the space around it. It reads over the rest of a line that is too large.
func readLine(r *bufio.Reader, most int) (line []byte, err error) {
	tooLarge := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLarge = tooLarge || len(line)+len(part) > most; !tooLarge {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !tooLarge:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case tooLarge:
			return nil, model.ErrTooLarge
		}
		return bytes.TrimSpace(line), nil
	}
}
