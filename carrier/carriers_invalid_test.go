package carrier_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

func TestCarriersOfOtherTypesAreErrors(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	sc := testspans.Start(t, tracer, "x").Context()
	for _, format := range []opentracing.BuiltinFormat{opentracing.HTTPHeaders, opentracing.TextMap, opentracing.Binary} {
		for _, c := range []any{nil, 1, "x", struct{}{}} {
			t.Run(fmt.Sprintf("%T in format %d", c, format), func(t *testing.T) {
				if err := tracer.Inject(sc, format, c); !errors.Is(err, opentracing.ErrInvalidCarrier) {
					t.Errorf("Inject into %T: %v", c, err)
				}
				if _, err := tracer.Extract(format, c); !errors.Is(err, opentracing.ErrInvalidCarrier) {
					t.Errorf("Extract from %T: %v", c, err)
				}
			})
		}
	}
	for _, c := range []any{opentracing.HTTPHeadersCarrier(nil), http.Header(nil), carrier.Multi(nil), opentracing.TextMapCarrier(nil)} {
		t.Run(fmt.Sprintf("nil %T", c), func(t *testing.T) {
			if err := tracer.Inject(sc, opentracing.HTTPHeaders, c); !errors.Is(err, opentracing.ErrInvalidCarrier) {
				t.Errorf("Inject into nil %T: %v", c, err)
			}
			if _, err := tracer.Extract(opentracing.HTTPHeaders, c); !errors.Is(err, opentracing.ErrSpanContextNotFound) {
				t.Errorf("Extract from nil %T: %v", c, err)
			}
		})
	}
}

// Incomplete carriers are those of a message without headers, and lists that lack a function.
func TestIncompleteCarriersPanicNowhere(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	sc := testspans.Start(t, tracer, "x").Context()
	type header struct{ key, value string }
	read := func(h header) (string, []byte) { return h.key, []byte(h.value) }
	build := func(key string, value []byte) header { return header{key, string(value)} }
	empty, invalid := opentracing.ErrSpanContextNotFound, opentracing.ErrInvalidCarrier
	for name, tt := range map[string]struct {
		carrier any
		extract error
	}{
		"nil Table":            {carrier.Table(nil), empty},
		"List without headers": {carrier.List[header]{Read: read, Make: build}, invalid},
		"List without Read":    {carrier.List[header]{Headers: new([]header), Make: build}, invalid},
		"List without Make":    {carrier.List[header]{Headers: new([]header), Read: read}, empty},
		"zero List":            {carrier.List[header]{}, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []opentracing.BuiltinFormat{opentracing.HTTPHeaders, opentracing.TextMap} {
				if err := tracer.Inject(sc, format, tt.carrier); !errors.Is(err, invalid) {
					t.Errorf("Inject: %v", err)
				}
				if _, err := tracer.Extract(format, tt.carrier); !errors.Is(err, tt.extract) {
					t.Errorf("Extract: %v", err)
				}
				if err := tracer.Inject(sc, format, carrier.Untrusted{Carrier: tt.carrier}); err != nil {
					t.Errorf("Inject into Untrusted: %v", err)
				}
			}
		})
	}
}
