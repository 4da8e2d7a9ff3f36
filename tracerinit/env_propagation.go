package tracerinit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/carrier"
)

const (
	jaegerPropagation = "JAEGER_PROPAGATION"
	otelPropagators   = "OTEL_PROPAGATORS"
)

// propagation fills the formats from JAEGER_PROPAGATION or OTEL_PROPAGATORS unless code lists any.
func (r *resolver) propagation(code carrier.Config) carrier.Config {
	c, source := code, sourceCode
	inCode := code.Extract != nil || code.Inject != nil
	named, namedSource, ignored := r.envPropagation(!inCode)
	if !inCode {
		c.Extract, c.Inject, source = named.Extract, named.Inject, namedSource
		if code.Baggage.Styles == nil {
			c.Baggage.Styles = named.Baggage.Styles
		}
	}
	r.note("propagation.extract", formats(c.Extract, "tracecontext,jaeger,b3,b3multi"), source, ignored...)
	r.note("propagation.inject", formats(c.Inject, "tracecontext,jaeger"), source, ignored...)
	r.note("propagation.baggage", styles(c.Baggage.Styles), source)
	debugSource := sourceDefault
	if code.Debug != (carrier.DebugPolicy{}) {
		debugSource = sourceCode
	}
	r.note("propagation.debug", c.Debug.String(), debugSource)
	return c
}

// envPropagation is what the variables list, the variable that counts, and those that have no effect.
func (r *resolver) envPropagation(used bool) (c carrier.Config, source string, ignored []string) {
	fromJaeger := r.propagators(jaegerPropagation, used)
	fromOTel := r.propagators(otelPropagators, used && r.get(jaegerPropagation) == "")
	if !used {
		return c, sourceDefault, r.set(jaegerPropagation, otelPropagators)
	}
	switch {
	case fromJaeger != nil:
		if fromOTel != nil && !slices.Equal(fromJaeger, fromOTel) {
			r.conflict(jaegerPropagation, otelPropagators)
			ignored = append(ignored, otelPropagators)
		}
		c = carrier.Config{Extract: fromJaeger, Inject: fromJaeger}
		c.Baggage.Styles = jaegerStyles(fromJaeger)
		return c, jaegerPropagation, ignored
	case fromOTel != nil:
		// To OpenTelemetry baggage is a propagator of its own; Jaeger's format has always had it.
		c = carrier.Config{Extract: fromOTel, Inject: fromOTel}
		c.Baggage.Styles = []carrier.BaggageStyle{}
		if slices.Contains(listOf(r.get(otelPropagators)), "baggage") {
			c.Baggage.Styles = append(c.Baggage.Styles, carrier.W3CBaggage)
		}
		if slices.Contains(fromOTel, carrier.Jaeger) {
			c.Baggage.Styles = append(c.Baggage.Styles, carrier.JaegerBaggage)
		}
		return c, otelPropagators, nil
	}
	return c, sourceDefault, nil
}

// jaegerStyles returns the baggage that Jaeger clients send with the formats. Beside X-B3-* it is baggage-KEY.
func jaegerStyles(list []carrier.Format) (styles []carrier.BaggageStyle) {
	if !slices.Contains(list, carrier.B3Multi) {
		return nil
	}
	styles = []carrier.BaggageStyle{carrier.W3CBaggage, carrier.PrefixBaggage}
	if slices.Contains(list, carrier.Jaeger) {
		styles = append(styles, carrier.JaegerBaggage)
	}
	return styles
}

// propagators reads a list of formats. It is nil if the variable is not set or wrong. Formats of OpenTelemetry that
// this kit does not read are left out with a warning.
func (r *resolver) propagators(variable string, used bool) []carrier.Format {
	defer r.onlyIf(used)()
	raw := r.get(variable)
	names := listOf(raw)
	if names == nil {
		return nil
	}
	var known []string
	for _, name := range names {
		switch {
		case name != "xray" && name != "ottrace":
			known = append(known, name)
		case used:
			r.warn(fmt.Sprintf("%s: this kit has no propagator %s", variable, name))
		}
	}
	if known == nil { // an empty list means the default to Parse
		known = []string{"none"}
	}
	parse := carrier.Parse
	if variable == jaegerPropagation {
		parse = carrier.ParseJaeger
	}
	list, err := parse(strings.Join(known, ","))
	if err != nil {
		r.wrong(variable, raw, expected("a list of tracecontext, jaeger, b3, b3multi, baggage, none"))
		return nil
	}
	return list
}

func formats(list []carrier.Format, def string) string {
	if list == nil {
		return def
	}
	if len(list) == 0 {
		return "none"
	}
	var out []string
	for _, f := range list {
		out = append(out, f.String())
	}
	return strings.Join(out, ",")
}

func styles(list []carrier.BaggageStyle) string {
	if list == nil {
		return "as the formats"
	}
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ",")
}
