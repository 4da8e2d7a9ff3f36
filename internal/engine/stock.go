package engine

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// StockHeaders are the header names that the own propagator of jaeger-client-go reads. That propagator lowers the name
// of every header of a request, which costs more than the rest of a request, so it is only shown those that it reads.
type StockHeaders struct{ context, debug, baggage, baggagePrefix string }

// StockHeadersOf returns the names that the tracer reads from HTTP headers, or nil if that is not done by the own
// propagator of jaeger-client-go, whose version is the last one. It uses reflection and is called once for a tracer.
func StockHeadersOf(t *jaeger.Tracer) *StockHeaders {
	extractors := reflect.ValueOf(t).Elem().FieldByName("extractors")
	if extractors.Kind() != reflect.Map {
		return nil
	}
	for i := extractors.MapRange(); i.Next(); {
		format, extractor := i.Key().Elem(), i.Value().Elem()
		if format.Type() != reflect.TypeFor[opentracing.BuiltinFormat]() ||
			opentracing.BuiltinFormat(format.Uint()) != opentracing.HTTPHeaders {
			continue
		}
		if extractor.Type() != reflect.TypeFor[*jaeger.TextMapPropagator]() || extractor.IsNil() {
			return nil
		}
		return stockHeadersOf(extractor.Elem().FieldByName("headerKeys"))
	}
	return nil
}

func stockHeadersOf(config reflect.Value) *StockHeaders {
	if !config.IsValid() || config.Type() != reflect.TypeFor[*jaeger.HeadersConfig]() || config.IsNil() {
		return nil
	}
	name := func(field string) string { return config.Elem().FieldByName(field).String() }
	return &StockHeaders{
		context: name("TraceContextHeaderName"), debug: name("JaegerDebugHeader"),
		baggage: name("JaegerBaggageHeader"), baggagePrefix: name("TraceBaggageHeaderPrefix"),
	}
}

// maxStockHeaders is more than a propagator writes, but for baggage.
const maxStockHeaders = 4

// Carrier returns a carrier of the headers that are read, or nil if there is none in h.
func (s *StockHeaders) Carrier(h http.Header) opentracing.TextMapReader {
	var found [maxStockHeaders]string
	n := 0
	for name := range h {
		if !s.reads(name) {
			continue
		}
		if n == len(found) {
			return &stockCarrier{names: s, header: h}
		}
		found[n] = name
		n++
	}
	if n == 0 {
		return nil
	}
	return &stockCarrier{s, h, found, n}
}

func (s *StockHeaders) reads(name string) bool {
	switch len(name) {
	case len(s.context), len(s.debug), len(s.baggage):
		if strings.EqualFold(name, s.context) || strings.EqualFold(name, s.debug) || strings.EqualFold(name, s.baggage) {
			return true
		}
	}
	n := len(s.baggagePrefix)
	return len(name) >= n && strings.EqualFold(name[:n], s.baggagePrefix)
}

type stockCarrier struct {
	names  *StockHeaders
	header http.Header
	found  [maxStockHeaders]string // names of the headers that are read, if there are few of them
	n      int                     // 0 if there are more
}

// ForeachKey implements [opentracing.TextMapReader].
func (c *stockCarrier) ForeachKey(handler func(key, value string) error) error {
	for _, name := range c.found[:c.n] {
		if err := c.each(name, handler); err != nil {
			return err
		}
	}
	if c.n > 0 {
		return nil
	}
	for name := range c.header {
		if c.names.reads(name) {
			if err := c.each(name, handler); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *stockCarrier) each(name string, handler func(key, value string) error) error {
	for _, v := range c.header[name] {
		if err := handler(name, v); err != nil {
			return err
		}
	}
	return nil
}
