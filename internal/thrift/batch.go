package thrift

import (
	"encoding/binary"
	"slices"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	emitBatch = "emitBatch"

	compactProtocolID byte = 0x82
	compactVersion    byte = 1
	messageCall       byte = 1 // although the method is one-way: what Go clients have always sent
)

// AppendBatchBinary appends a Batch of spans, each as AppendSpanBinary wrote it, that come from p: the body of a
// POST to a collector's /api/traces, of type application/vnd.apache.thrift.binary.
func AppendBatchBinary(dst []byte, p *model.Process, spans [][]byte) []byte {
	w := writer{b: slices.Grow(dst, total(spans))}
	w.batch(p, spans)
	return w.b
}

// AppendEmitBatchCompact appends the one-way call emitBatch with spans, each as AppendSpanCompact wrote it, that come
// from p: one datagram to an agent, which takes at most 65,000 bytes.
func AppendEmitBatchCompact(dst []byte, p *model.Process, spans [][]byte) []byte {
	w := writer{b: slices.Grow(dst, total(spans)), compact: true}
	w.b = append(w.b, compactProtocolID, compactVersion|messageCall<<5, 0) // the last is the sequence number
	w.b = append(append(w.b, byte(len(emitBatch))), emitBatch...)
	outer := w.open()
	w.field(1, typeStruct)
	w.batch(p, spans)
	w.close(outer)
	return w.b
}

func (w *writer) batch(p *model.Process, spans [][]byte) {
	outer := w.open()
	w.field(1, typeStruct)
	process := w.open()
	w.text(1, p.Service)
	w.tags(2, p.Tags, nil)
	w.close(process)
	w.list(2, typeStruct, len(spans))
	for _, s := range spans {
		w.b = append(w.b, s...)
	}
	w.close(outer)
}

// BinaryOverhead returns how many bytes AppendBatchBinary adds to the spans of a batch from p.
func BinaryOverhead(p *model.Process) int { return len(AppendBatchBinary(nil, p, nil)) }

// EmitBatchOverhead returns how many bytes AppendEmitBatchCompact adds, at most, to the spans of a batch from p.
func EmitBatchOverhead(p *model.Process) int {
	return len(AppendEmitBatchCompact(nil, p, nil)) + binary.MaxVarintLen32
}

func total(spans [][]byte) (n int) {
	for _, s := range spans {
		n += len(s)
	}
	return n
}
