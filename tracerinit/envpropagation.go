package tracerinit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/carrier"
)

// propagation fills the formats from JAEGER_PROPAGATION or OTEL_PROPAGATORS unless code says any.
func (r *resolver) propagation(code carrier.Config) carrier.Config {
	c, source := code, inCode
	asked, askedSource := r.askedPropagation(code.Extract == nil && code.Inject == nil)
	if code.Extract == nil && code.Inject == nil {
		c.Extract, c.Inject, source = asked.Extract, asked.Inject, askedSource
		if code.Baggage.Styles == nil {
			c.Baggage.Styles = asked.Baggage.Styles
		}
	}
	r.note("propagation.extract", formats(c.Extract, "tracecontext,jaeger,b3,b3multi"), source)
	r.note("propagation.inject", formats(c.Inject, "tracecontext,jaeger"), source)
	r.note("propagation.baggage", styles(c.Baggage.Styles), source)
	debugSource := byDefault
	if code.Debug != (carrier.DebugPolicy{}) {
		debugSource = inCode
	}
	r.note("propagation.debug", c.Debug.String(), debugSource)
	return c
}

func (r *resolver) askedPropagation(used bool) (carrier.Config, string) {
	const inJaeger, inOTel = "JAEGER_PROPAGATION", "OTEL_PROPAGATORS"
	fromJaeger, fromOTel := r.propagators(inJaeger, used), r.propagators(inOTel, used && r.get(inJaeger) == "")
	switch {
	case fromJaeger != nil:
		if fromOTel != nil && used && !slices.Equal(fromJaeger, fromOTel) {
			r.conflict(inJaeger, inOTel)
		}
		return carrier.Config{Extract: fromJaeger, Inject: fromJaeger}, inJaeger
	case fromOTel != nil:
		// To OpenTelemetry baggage is a propagator of its own; Jaeger's format has always had it.
		c := carrier.Config{Extract: fromOTel, Inject: fromOTel}
		c.Baggage.Styles = []carrier.BaggageStyle{}
		if slices.Contains(names(r.get(inOTel)), "baggage") {
			c.Baggage.Styles = append(c.Baggage.Styles, carrier.W3CBaggage)
		}
		if slices.Contains(fromOTel, carrier.Jaeger) {
			c.Baggage.Styles = append(c.Baggage.Styles, carrier.JaegerBaggage)
		}
		return c, inOTel
	}
	return carrier.Config{}, byDefault
}

// propagators reads a list of formats; nil if it is not set or wrong. Formats of OpenTelemetry that this kit does
// not speak are left out with a warning.
func (r *resolver) propagators(variable string, used bool) []carrier.Format {
	raw := r.get(variable)
	if raw == "" {
		return nil
	}
	var known []string
	for _, name := range names(raw) {
		switch {
		case name != "xray" && name != "ottrace":
			known = append(known, name)
		case used:
			r.warn(fmt.Sprintf("%s: this kit does not speak %s", variable, name))
		}
	}
	if known == nil { // an empty list means the default to Parse
		known = []string{"none"}
	}
	list, err := carrier.Parse(strings.Join(known, ","))
	if err != nil {
		r.wrong(variable, raw, wanted("a list of tracecontext, jaeger, b3, b3multi, baggage, none"))
		return nil
	}
	return list
}

// names splits a list at its commas.
func names(list string) (out []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			out = append(out, name)
		}
	}
	return out
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
		if s == carrier.W3CBaggage {
			out = append(out, "w3c")
		} else {
			out = append(out, "jaeger")
		}
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ",")
}
