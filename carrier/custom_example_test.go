package carrier_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// otTracer is the format of OpenTracing's basictracer and of Lightstep: three headers, ids of 64 bits in hex.
type otTracer struct{}

func (otTracer) Name() string { return "ot-tracer" }

func (otTracer) Keys() []string {
	return []string{"ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"}
}

func (otTracer) Extract(get func(key string) string) (sc jaeger.SpanContext, ok bool) {
	trace, err1 := jaeger.TraceIDFromString(get("ot-tracer-traceid"))
	span, err2 := jaeger.SpanIDFromString(get("ot-tracer-spanid"))
	sampled, err3 := strconv.ParseBool(get("ot-tracer-sampled"))
	return jaeger.NewSpanContext(trace, span, 0, sampled, nil), err1 == nil && err2 == nil && err3 == nil
}

func (otTracer) Inject(sc jaeger.SpanContext, set func(key, value string)) {
	set("ot-tracer-traceid", strconv.FormatUint(sc.TraceID().Low, 16))
	set("ot-tracer-spanid", strconv.FormatUint(uint64(sc.SpanID()), 16))
	set("ot-tracer-sampled", strconv.FormatBool(sc.IsSampled()))
}

// grpcTraceBin is the format of OpenCensus over gRPC, which Dapr speaks: version 0, then fields, each a number and
// bytes.
type grpcTraceBin struct{}

const grpcTraceBinLength = 29

func (grpcTraceBin) Name() string   { return "grpc-trace-bin" }
func (grpcTraceBin) Keys() []string { return []string{"grpc-trace-bin"} }

func (grpcTraceBin) Extract(get func(key string) string) (sc jaeger.SpanContext, ok bool) {
	b := []byte(get("grpc-trace-bin"))
	if len(b) < grpcTraceBinLength || b[0] != 0 || b[1] != 0 || b[18] != 1 || b[27] != 2 {
		return sc, false
	}
	trace := jaeger.TraceID{High: binary.BigEndian.Uint64(b[2:]), Low: binary.BigEndian.Uint64(b[10:])}
	span := jaeger.SpanID(binary.BigEndian.Uint64(b[19:]))
	return jaeger.NewSpanContext(trace, span, 0, b[28]&1 != 0, nil), true
}

func (grpcTraceBin) Inject(sc jaeger.SpanContext, set func(key, value string)) {
	b := binary.BigEndian.AppendUint64([]byte{0, 0}, sc.TraceID().High)
	b = append(binary.BigEndian.AppendUint64(b, sc.TraceID().Low), 1)
	b = append(binary.BigEndian.AppendUint64(b, uint64(sc.SpanID())), 2, sc.Flags()&1)
	set("grpc-trace-bin", string(b))
}

// Neighbours that speak the headers of Lightstep, with their baggage, and grpc-trace-bin.
func ExampleCustomFormat() {
	p, err := carrier.New(carrier.Config{
		Custom: []carrier.CustomFormat{otTracer{}, grpcTraceBin{}},
		Baggage: carrier.Baggage{
			Styles: []carrier.BaggageStyle{carrier.W3CBaggage, carrier.PrefixBaggage},
			Prefix: "ot-baggage-",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sc, err := p.Extract(http.Header{
		"Ot-Tracer-Traceid": {"cafe"}, "Ot-Tracer-Spanid": {"babe"}, "Ot-Tracer-Sampled": {"true"}, "Ot-Baggage-User": {"42"},
	})
	fmt.Println(sc.TraceID(), sc.SpanID(), sc.IsSampled(), err)

	metadata := carrier.Multi{}
	_ = p.Inject(sc, metadata)
	fmt.Println(metadata["ot-tracer-traceid"], metadata["ot-baggage-user"], len(metadata["grpc-trace-bin"][0]))
	// Output:
	// 000000000000cafe 000000000000babe true <nil>
	// [cafe] [42] 29
}
