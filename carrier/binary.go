package carrier

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/header"
)

const (
	binaryHeader   = 16 + 8 + 8 + 1 + 4 // ids, flags, number of baggage items
	maxBinaryItems = 180                // what jaeger-client-go sends and reads at most
	maxBinaryItem  = 4096
)

// binaryCodec is p for [opentracing.Binary], in jaeger-client-go's layout: ids, flags and baggage, big-endian.
type binaryCodec struct{ p *Propagator }

// Extract reads exactly one context. Whatever the bytes are, it allocates no more than the baggage limits admit.
func (c binaryCodec) Extract(carrier any) (jaeger.SpanContext, error) {
	r, ok := carrier.(io.Reader)
	if !ok {
		return jaeger.SpanContext{}, opentracing.ErrInvalidCarrier
	}
	var head [binaryHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return jaeger.SpanContext{}, opentracing.ErrSpanContextCorrupted
	}
	in := incoming{p: c.p}
	in.parent = remote{
		trace:    jaeger.TraceID{High: binary.BigEndian.Uint64(head[:]), Low: binary.BigEndian.Uint64(head[8:])},
		span:     jaeger.SpanID(binary.BigEndian.Uint64(head[16:])),
		parent:   jaeger.SpanID(binary.BigEndian.Uint64(head[24:])),
		sampling: decided(head[32]&(flagSampled|flagDebug) != 0),
		debug:    head[32]&flagDebug != 0,
		firehose: head[32]&flagFirehose != 0,
	}
	items, err := c.readItems(r, binary.BigEndian.Uint32(head[33:]))
	if err != nil {
		return jaeger.SpanContext{}, opentracing.ErrSpanContextCorrupted
	}
	if !in.parent.valid() {
		in.parent = remote{}
	}
	return in.context(items.all)
}

func (c binaryCodec) readItems(r io.Reader, count uint32) (baggageReader, error) {
	b := baggageReader{p: c.p, hint: int(min(count, maxBinaryItems))}
	if count > maxBinaryItems {
		return b, opentracing.ErrSpanContextCorrupted
	}
	var buf []byte // both strings of an item
	for range count {
		buf = buf[:0]
		var ends [2]int
		for i := range ends {
			var length [4]byte
			if _, err := io.ReadFull(r, length[:]); err != nil {
				return b, err
			}
			n := binary.BigEndian.Uint32(length[:])
			if n > uint32(maxBinaryItem-len(buf)) {
				return b, opentracing.ErrSpanContextCorrupted
			}
			end := len(buf) + int(n)
			if cap(buf) < end {
				buf = append(make([]byte, 0, maxBinaryItem), buf...)
			}
			buf = buf[:end]
			if _, err := io.ReadFull(r, buf[ends[0]:]); err != nil {
				return b, err
			}
			ends[i] = end
		}
		b.addBinary(buf[:ends[0]], buf[ends[0]:])
	}
	return b, nil
}

func (b *baggageReader) addBinary(key, value []byte) {
	if b.p.stylesIn == 0 {
		return
	}
	if b.bytes+len(key)+len(value) > b.p.baggage.MaxBytes {
		b.overLimit(1)
		return
	}
	k := string(key)
	switch {
	case !header.IsName(k):
		b.p.counts.count(baggageMalformed)
	case b.fits(k, len(key)+len(value)):
		b.add(k, string(value), len(key)+len(value))
	}
}

// Inject writes sc in one Write.
func (c binaryCodec) Inject(sc jaeger.SpanContext, carrier any) error {
	w, ok := carrier.(io.Writer)
	if !ok {
		return opentracing.ErrInvalidCarrier
	}
	out := outgoing{p: c.p, sc: sc}
	out.items = c.p.outgoingItems(sc, nil)
	out.cut(&found{}, false)
	items := slices.DeleteFunc(out.items, func(it item) bool {
		tooLong := len(it.key)+len(it.value) > maxBinaryItem
		if tooLong {
			c.p.counts.count(baggageOverLimit)
		}
		return tooLong
	})
	b := make([]byte, 0, 128)
	if sc.IsValid() {
		b = binary.BigEndian.AppendUint64(b, sc.TraceID().High)
		b = binary.BigEndian.AppendUint64(b, sc.TraceID().Low)
		b = binary.BigEndian.AppendUint64(b, uint64(sc.SpanID()))
		b = binary.BigEndian.AppendUint64(b, uint64(sc.ParentID()))
		b = append(b, sc.Flags())
	} else {
		b = b[:binaryHeader-4]
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(items)))
	for _, it := range items {
		b = binary.BigEndian.AppendUint32(b, uint32(len(it.key)))
		b = append(b, it.key...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(it.value)))
		b = append(b, it.value...)
	}
	_, err := w.Write(b)
	return err
}
