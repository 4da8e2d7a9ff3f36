package thrift_test

import (
	"fmt"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/thrift"
)

func Example() {
	process := &model.Process{Service: "shop"}
	span := model.Span{TraceID: model.TraceID{Low: 2}, SpanID: 3, ParentID: 1, Name: "GET /cart", Start: time.Unix(1700000000, 0), Duration: time.Millisecond}

	one := thrift.AppendSpanCompact(nil, &span)
	datagram := thrift.AppendEmitBatchCompact(nil, process, [][]byte{one})
	fmt.Println(len(datagram) <= len(one)+thrift.EmitBatchOverhead(process))

	batch, err := thrift.DecodeEmitBatch(datagram, model.DecodeLimits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.Process.Service, batch.Spans[0].Name, batch.Spans[0].Duration, batch.Spans[0].ParentID)
	// Output:
	// true
	// shop GET /cart 1ms 1
}
