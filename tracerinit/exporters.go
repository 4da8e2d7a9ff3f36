package tracerinit

import (
	"cmp"
	"os"
	"slices"
)

const defaultJaeger = "http://localhost:14268/api/traces"

// exporters are code's, else those that the variables ask for, else OTLP over HTTP unless there are reporters.
func (r *resolver) exporters(cfg Config) []Exporter {
	var chosen []sourced[Exporter]
	for _, e := range cfg.Exporters {
		chosen = append(chosen, sourced[Exporter]{e, inCode})
	}
	if asked := r.askedExporters(chosen == nil, len(cfg.Reporters) == 0); chosen == nil {
		chosen = asked
	}
	var out []Exporter
	for _, e := range chosen {
		r.note("exporter", e.value.Name+" "+e.value.Endpoint, e.source)
		out = append(out, e.value)
	}
	return out
}

// askedExporters are those of the environment. The JAEGER_* variables win, but where OTEL_TRACES_EXPORTER lists
// jaeger they say where that one is: so a program may send to both while it moves.
func (r *resolver) askedExporters(used, needed bool) []sourced[Exporter] {
	names := r.exporterNames(used)
	jaeger, hasJaeger := r.jaegerExporter()
	useJaeger := hasJaeger && !slices.Contains(names, "jaeger")
	otlp := r.otlpExporter(used && !useJaeger && (names == nil || slices.Contains(names, "otlp")))
	switch {
	case !used:
	case useJaeger && names != nil:
		r.conflict(jaeger.source, "OTEL_TRACES_EXPORTER")
	case useJaeger && otlp.source != byDefault:
		r.conflict(jaeger.source, otlp.source)
	}
	switch {
	case useJaeger:
		return []sourced[Exporter]{jaeger}
	case names != nil:
		return listed(names, otlp, jaeger, hasJaeger)
	case otlp.source != byDefault || needed:
		return []sourced[Exporter]{otlp}
	}
	return nil
}

func listed(names []string, otlp, jaeger sourced[Exporter], hasJaeger bool) (out []sourced[Exporter]) {
	const variable = "OTEL_TRACES_EXPORTER"
	for _, name := range names {
		switch name {
		case "otlp":
			out = append(out, sourced[Exporter]{otlp.value, cmp.Or(explicit(otlp.source), variable)})
		case "console":
			out = append(out, sourced[Exporter]{Console(os.Stdout), variable})
		case "jaeger":
			if !hasJaeger {
				jaeger = sourced[Exporter]{JaegerHTTP(defaultJaeger), variable}
			}
			out = append(out, jaeger)
		}
	}
	return out
}

// explicit is source, or "" for a default.
func explicit(source string) string {
	if source == byDefault {
		return ""
	}
	return source
}
