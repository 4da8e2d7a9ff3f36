package carrier_test

import (
	"fmt"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

func TestIDsAreHexOfFixedWidth(t *testing.T) {
	sc := jaeger.NewSpanContext(jaeger.TraceID{Low: 0xab}, 0xcd, 0, true, nil)
	for _, c := range []struct {
		sc          opentracing.SpanContext
		trace, span string
	}{
		{sc, "000000000000000000000000000000ab", "00000000000000cd"},
		{&sc, "000000000000000000000000000000ab", "00000000000000cd"},
		{jaeger.SpanContext{}, "", ""},
		{(*jaeger.SpanContext)(nil), "", ""},
		{nil, "", ""},
		{opentracing.NoopTracer{}.StartSpan("x").Context(), "", ""},
		{numbered{0xab, 0xcd}, "000000000000000000000000000000ab", "00000000000000cd"},
		{named{"ab", "CD"}, "000000000000000000000000000000ab", "00000000000000cd"},
		{named{"not hex", ""}, "", ""},
	} {
		t.Run(fmt.Sprint(c.sc), func(t *testing.T) {
			if trace, span := carrier.TraceID(c.sc), carrier.SpanID(c.sc); trace != c.trace || span != c.span {
				t.Errorf("%T %v: %q, %q", c.sc, c.sc, trace, span)
			}
		})
	}
}
