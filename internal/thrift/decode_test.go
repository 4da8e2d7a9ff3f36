package thrift

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apache "github.com/uber/jaeger-client-go/thrift"

	"github.com/spanloom/spanloom/internal/model"
)

var (
	sameValue = cmp.Comparer(func(a, b model.Value) bool { return a == b })
	anyEmpty  = cmpopts.EquateEmpty()
	noLimits  = model.DecodeLimits{}
)

// protocols are the two ways to write and to read a batch.
var protocols = []struct {
	name   string
	span   func([]byte, *model.Span) []byte
	batch  func([]byte, *model.Process, [][]byte) []byte
	decode func([]byte, model.DecodeLimits) (model.Batch, error)
}{
	{"binary", AppendSpanBinary, AppendBatchBinary, DecodeBatchBinary},
	{"compact", AppendSpanCompact, AppendEmitBatchCompact, DecodeEmitBatch},
}

func TestDecodeWhatJaegerClientWrites(t *testing.T) {
	want := model.Batch{Process: *testProcess(), Spans: testSpans()}
	write := func(protocol apache.TProtocol, buf *apache.TMemoryBuffer) []byte {
		if err := jaegerBatch(&want.Process, want.Spans).Write(context.Background(), protocol); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	binaryBuf, compactBuf := apache.NewTMemoryBuffer(), apache.NewTMemoryBuffer()
	for name, result := range map[string]func() (model.Batch, error){
		"binary": func() (model.Batch, error) {
			return DecodeBatchBinary(write(apache.NewTBinaryProtocolConf(binaryBuf, nil), binaryBuf), noLimits)
		},
		"compact": func() (model.Batch, error) {
			return DecodeBatchCompact(write(apache.NewTCompactProtocolConf(compactBuf, nil), compactBuf), noLimits)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := result()
			if diff := cmp.Diff(want, got, sameValue, anyEmpty); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
}

// randomBatch makes a batch of all that a model can hold and thrift can say.
func randomBatch(seed uint64) model.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	text := func() string { return []string{"", "a", "event", "ünï\x00", strings.Repeat("x", 300)}[r.IntN(5)] }
	value := func() model.Value {
		return []model.Value{model.String(text()), model.Bool(true), model.Bool(false), model.Int(int64(r.Uint64())), model.Int(0),
			model.Float(r.NormFloat64()), model.Float(math.Inf(1)), model.Bytes([]byte{0xff, 0}), model.Bytes(nil)}[r.IntN(9)]
	}
	tags := func() (tags []model.Tag) {
		for i := range r.IntN(20) {
			tags = append(tags, model.Tag{Key: fmt.Sprint("k", i), Value: value()})
		}
		return tags
	}
	at := func() time.Time { return time.UnixMicro(r.Int64N(4e15)).UTC() }
	b := model.Batch{Process: model.Process{Service: "s", Tags: tags()}}
	for range r.IntN(20) {
		s := model.Span{TraceID: model.TraceID{High: r.Uint64() >> r.IntN(65), Low: r.Uint64() | 1}, SpanID: r.Uint64() | 1,
			Flags: byte(r.Uint32()), Name: text(), Start: at(), Duration: time.Duration(r.Int64N(1e9)) * time.Microsecond, Tags: tags()}
		if len(s.Tags) > 0 {
			s.ParentID, s.TraceState = r.Uint64()|1, "a=1"
		}
		for range r.IntN(3) {
			s.Refs = append(s.Refs, model.Ref{Type: model.RefType(r.IntN(2)), TraceID: model.TraceID{Low: r.Uint64() | 1}, SpanID: r.Uint64() | 1})
		}
		for range r.IntN(3) {
			s.Logs = append(s.Logs, model.Log{Time: at(), Fields: tags()})
		}
		b.Spans = append(b.Spans, s)
	}
	return b
}

func TestSpansSurviveARoundTrip(t *testing.T) {
	for seed := range uint64(100) {
		want := randomBatch(seed)
		for _, p := range protocols {
			got, err := p.decode(p.batch(nil, &want.Process, encodeAll(want.Spans, p.span)), noLimits)
			if err == nil && reflect.DeepEqual(want, got) {
				continue // much cheaper than Diff
			}
			if diff := cmp.Diff(want, got, sameValue, anyEmpty); diff != "" || err != nil {
				t.Fatalf("seed %d, %s: %v, -want +got:\n%s", seed, p.name, err, diff)
			}
		}
	}
}

func TestParentFromReferences(t *testing.T) {
	id := model.TraceID{Low: 1}
	inTrace := model.Ref{Type: model.ChildOf, TraceID: id, SpanID: 5}
	elsewhere := model.Ref{Type: model.ChildOf, TraceID: model.TraceID{Low: 9}, SpanID: 6}
	s := model.Span{TraceID: id, SpanID: 2, Refs: []model.Ref{elsewhere, inTrace, {TraceID: id}}}
	b, err := DecodeBatchBinary(AppendBatchBinary(nil, testProcess(), [][]byte{AppendSpanBinary(nil, &s)}), noLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Spans[0]; got.ParentID != 5 || !slices.Equal(got.Refs, []model.Ref{elsewhere}) {
		t.Errorf("parent %d, references %v", got.ParentID, got.Refs)
	}
}

// Every beginning of a batch, and every batch with a bit turned over, is decoded or refused; nothing panics or hangs.
func TestBrokenBatchesAreRefused(t *testing.T) {
	want := model.Batch{Process: *testProcess(), Spans: testSpans()}
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			body := p.batch(nil, &want.Process, encodeAll(want.Spans, p.span))
			for n := 0; n < len(body); n += 1 + n/100 {
				if b, err := p.decode(body[:n], noLimits); err == nil {
					t.Fatalf("%d of %d bytes were taken: %v", n, len(body), b)
				}
			}
			for i := range body {
				body[i] ^= 1 << (i % 8)
				p.decode(body, noLimits)
				body[i] ^= 1 << (i % 8)
			}
			if _, err := p.decode(append(bytes.Clone(body), 0), noLimits); err == nil {
				t.Error("a byte too many was taken")
			}
		})
	}
}

func TestClaimsWithoutBytes(t *testing.T) {
	for name, body := range map[string]string{
		"2^31-1 spans":            "\x0f\x00\x02\x0c\x7f\xff\xff\xff",
		"-1 spans":                "\x0f\x00\x02\x0c\xff\xff\xff\xff",
		"a service of 2 GiB":      "\x0c\x00\x01\x0b\x00\x01\x7f\xff\xff\xffx",
		"an unknown list of 2^31": "\x0f\x00\x63\x02\x7f\xff\xff\xff\x00",
		"an unknown map of 2^31":  "\x0d\x00\x63\x02\x02\x7f\xff\xff\xff\x00",
		"an unknown type":         "\x05\x00\x63\x00",
		"a list of nothing":       "\x0f\x00\x63\x00\x00\x00\x00\x02\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			allocated := testing.AllocsPerRun(10, func() {
				if b, err := DecodeBatchBinary([]byte(body), noLimits); err == nil {
					t.Errorf("taken as %v", b)
				}
			})
			if allocated > 20 {
				t.Errorf("%v allocations", allocated)
			}
		})
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	s := model.Span{TraceID: model.TraceID{Low: 1}, SpanID: 2}
	want := model.Batch{Process: *testProcess(), Spans: []model.Span{s}}
	body := AppendBatchBinary(nil, &want.Process, [][]byte{AppendSpanBinary(nil, &s)})
	extras := "\x0d\x00\x63\x0b\x0f\x00\x00\x00\x01\x00\x00\x00\x01k\x02\x00\x00\x00\x02\x01\x00" + // map<string, list<bool>>
		"\x0c\x00\x64\x03\x00\x01\x00\x06\x00\x02\x00\x00\x08\x00\x03\x00\x00\x00\x00\x0a\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x04\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x0e\x00\x06\x03\x00\x00\x00\x00\x00" // a struct of every other type
	body = append([]byte(extras), body...)
	if got, err := DecodeBatchBinary(body, noLimits); err != nil || len(got.Spans) != 1 {
		t.Errorf("%v %v", got, err)
	}

	deep := strings.Repeat("\x0c\x00\x63", 100000)
	if _, err := DecodeBatchBinary([]byte(deep), noLimits); !errors.Is(err, errTooDeep) {
		t.Errorf("deep: %v", err)
	}
	compact := strings.Repeat("\x9c", 100000)
	if _, err := DecodeBatchCompact([]byte(compact), noLimits); !errors.Is(err, errTooDeep) {
		t.Errorf("deep, compact: %v", err)
	}
}

func TestSpansNeedIDs(t *testing.T) {
	for name, s := range map[string]model.Span{"no trace": {SpanID: 1}, "no span": {TraceID: model.TraceID{Low: 1}}} {
		s.Name = "lost"
		for _, p := range protocols {
			t.Run(name+", "+p.name, func(t *testing.T) {
				_, err := p.decode(p.batch(nil, testProcess(), [][]byte{p.span(nil, &s)}), noLimits)
				if err == nil || !strings.Contains(err.Error(), "lost") {
					t.Errorf("%s: %v", p.name, err)
				}
			})
		}
	}
}

func TestDecodingKeepsToItsLimits(t *testing.T) {
	b := randomBatch(3)
	for len(b.Spans) < 3 {
		b.Spans = append(b.Spans, b.Spans...)
	}
	body := AppendBatchBinary(nil, &b.Process, encodeAll(b.Spans, AppendSpanBinary))
	for name, lim := range map[string]model.DecodeLimits{"spans": {Spans: 2}, "memory": {Memory: 500}} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeBatchBinary(body, lim); !errors.Is(err, model.ErrTooLarge) || got.Spans != nil {
				t.Errorf("%d spans, %v", len(got.Spans), err)
			}
		})
	}
	got, err := DecodeBatchBinary(body, model.DecodeLimits{Tags: 2, Logs: 1, Refs: 1, ValueBytes: 10})
	if err != nil || len(got.Spans) != len(b.Spans) {
		t.Fatalf("%d spans, %v", len(got.Spans), err)
	}
	for _, s := range got.Spans {
		if len(s.Tags) > 2 || len(s.Logs) > 1 || len(s.Refs) > 1 || len(s.Name) > 10 {
			t.Errorf("over the limits: %+v", s)
		}
	}
}

func TestTimesBeyondAllClocksAreBounded(t *testing.T) {
	for micros, want := range map[int64]time.Duration{-1: 0, math.MinInt64: 0, 5: 5 * time.Microsecond, math.MaxInt64: math.MaxInt64 / 1000 * 1000} {
		t.Run(fmt.Sprintf("%d µs", micros), func(t *testing.T) {
			w := writer{}
			w.i64(1, 1)
			w.i64(3, 1)
			w.i64(8, math.MinInt64)
			w.i64(9, micros)
			w.close(0)
			b, err := DecodeBatchBinary(AppendBatchBinary(nil, testProcess(), [][]byte{w.b}), noLimits)
			if err != nil || b.Spans[0].Duration != want {
				t.Errorf("%d µs: %v %v", micros, b.Spans, err)
			}
		})
	}
}

func TestNotAnEmitBatch(t *testing.T) {
	noBatch := "\x82\x21\x00\x09emitBatch\x00"
	for _, datagram := range []string{
		"", "\x82", "\x82\x21\x00", "\x80\x01\x00\x01", "\x82\x22\x00\x00\x00", "\x82\x21\x00\x03foo\x00", noBatch,
	} {
		t.Run(fmt.Sprintf("%q", datagram), func(t *testing.T) {
			if _, err := DecodeEmitBatch([]byte(datagram), noLimits); err == nil {
				t.Errorf("%q was taken", datagram)
			}
		})
	}
	javaSendsOneway := []byte("\x82\x81\x00\x09emitBatch\x1c\x1c\x18\x01s\x00\x19\x0c\x00\x00")
	if b, err := DecodeEmitBatch(javaSendsOneway, noLimits); err != nil || b.Process.Service != "s" {
		t.Errorf("%v %v", b, err)
	}
}

func FuzzDecode(f *testing.F) {
	b := model.Batch{Process: *testProcess(), Spans: testSpans()}
	f.Add(AppendBatchBinary(nil, &b.Process, encodeAll(b.Spans, AppendSpanBinary)))
	f.Add(AppendEmitBatchCompact(nil, &b.Process, encodeAll(b.Spans, AppendSpanCompact)))
	f.Add(binary.BigEndian.AppendUint32([]byte("\x0f\x00\x02\x0c"), math.MaxInt32))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range []func([]byte, model.DecodeLimits) (model.Batch, error){DecodeBatchBinary, DecodeBatchCompact, DecodeEmitBatch} {
			b, err := decode(body, noLimits)
			if err != nil {
				continue
			}
			first := AppendBatchBinary(nil, &b.Process, encodeAll(b.Spans, AppendSpanBinary))
			b, err = DecodeBatchBinary(first, noLimits)
			second := AppendBatchBinary(nil, &b.Process, encodeAll(b.Spans, AppendSpanBinary))
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("written and read again: %v\n%x\n%x", err, first, second)
			}
		}
	})
}
