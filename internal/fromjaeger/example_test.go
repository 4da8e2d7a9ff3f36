package fromjaeger_test

import (
	"fmt"

	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
)

func ExampleLoader_Load() {
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
	defer closer.Close()
	span := tracer.StartSpan("GET /cart").SetTag("http.status_code", uint16(200))
	span.LogFields(log.String("event", "cache miss"), log.Int("items", 3))
	span.Finish()

	l := fromjaeger.Loader{Limits: model.Limits{Fields: 1, ValueBytes: 8}}
	l.Load(span.(*jaeger.Span))
	s := l.Span
	tag := s.Tags[len(s.Tags)-1]
	fmt.Println(s.Name, tag.Key, tag.Value.Int())
	fmt.Println(s.Logs[0].Fields[0].Value.Str(), s.Dropped.Fields, s.Dropped.Values)
	// Output:
	// GET /cart http.status_code 200
	// cache… 1 1
}
