package carrier_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
)

var allFormats = []carrier.Format{carrier.W3C, carrier.Jaeger, carrier.B3, carrier.B3Multi}

// newTracer returns a tracer that samples everything and propagates by c.
func newTracer(t testing.TB, c carrier.Config) (opentracing.Tracer, *carrier.Propagator) {
	t.Helper()
	p := newPropagator(t, c)
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(),
		append(append(p.TracerOptions(), jaeger.TracerOptions.Gen128Bit(true)), testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer, p
}

func newPropagator(t testing.TB, c carrier.Config) *carrier.Propagator {
	t.Helper()
	p, err := carrier.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// headers makes a header of pairs, as net/http does of a request: repeated keys are added.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], strings.Trim(pairs[i+1], " \t"))
	}
	return h
}

// extract reads h, which must hold a context.
func extract(t testing.TB, p *carrier.Propagator, h http.Header) jaeger.SpanContext {
	t.Helper()
	sc, err := p.Extract(h)
	if err != nil {
		t.Fatalf("Extract(%.200v): %v", h, err)
	}
	return sc
}

func inject(t testing.TB, p *carrier.Propagator, sc jaeger.SpanContext) http.Header {
	t.Helper()
	h := http.Header{}
	if err := p.Inject(sc, h); err != nil {
		t.Fatalf("Inject: %v", err)
	}
	return h
}

func baggageOf(sc opentracing.SpanContext) map[string]string {
	m := map[string]string{}
	sc.ForeachBaggageItem(func(k, v string) bool { m[k] = v; return true })
	return m
}

// foreign is a carrier of a kind that the package cannot know: an ordered list of pairs.
type foreign struct{ pairs []string }

func (f *foreign) Set(k, v string) { f.pairs = append(f.pairs, k, v) }

func (f *foreign) ForeachKey(handler func(k, v string) error) error {
	for i := 0; i < len(f.pairs); i += 2 {
		if err := handler(f.pairs[i], f.pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}
