package tracerinit

import (
	"os"
	"slices"
)

const defaultJaeger = "http://localhost:14268/api/traces"

// choice is an exporter, where it was said, and the settings it has of its own.
type choice struct {
	Exporter
	source string
	notes  []Setting
}

// exporters are code's, else those that the variables ask for, else OTLP over HTTP unless there are reporters.
func (r *resolver) exporters(cfg Config) []choice {
	var chosen []choice
	for _, e := range cfg.Exporters {
		chosen = append(chosen, choice{Exporter: e, source: inCode})
	}
	if asked := r.askedExporters(chosen == nil, len(cfg.Reporters) == 0); chosen == nil {
		chosen = asked
	}
	for _, e := range chosen {
		r.note("exporter", e.Name+" "+e.Endpoint, e.source)
		r.settings = append(r.settings, e.notes...)
	}
	return chosen
}

// askedExporters are those of the environment. The JAEGER_* variables win, but where OTEL_TRACES_EXPORTER lists
// jaeger they say where that one is: so a program may send to both while it moves.
func (r *resolver) askedExporters(used, needed bool) []choice {
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
		return []choice{jaeger}
	case names != nil:
		return listed(names, otlp, jaeger, hasJaeger)
	case otlp.source != byDefault || needed:
		return []choice{otlp}
	}
	return nil
}

func listed(names []string, otlp, jaeger choice, hasJaeger bool) (out []choice) {
	const variable = "OTEL_TRACES_EXPORTER"
	for _, name := range names {
		switch name {
		case "otlp":
			if otlp.source == byDefault {
				otlp.source = variable
			}
			out = append(out, otlp)
		case "console":
			out = append(out, choice{Exporter: Console(os.Stdout), source: variable})
		case "jaeger":
			if !hasJaeger {
				jaeger = choice{Exporter: JaegerHTTP(defaultJaeger), source: variable}
			}
			out = append(out, jaeger)
		}
	}
	return out
}
