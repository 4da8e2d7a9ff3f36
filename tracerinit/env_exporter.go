package tracerinit

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
)

const exporterVariable = "OTEL_TRACES_EXPORTER"

// exporterChoice is an exporter, its source, and the settings it has of its own.
type exporterChoice struct {
	export.Factory
	source string
	notes  []Setting
}

// exporters are those of code, else those that the variables name, else OTLP over HTTP unless there are reporters.
func (r *resolver) exporters(cfg Config) []exporterChoice {
	var chosen []exporterChoice
	for _, e := range cfg.Exporters {
		chosen = append(chosen, exporterChoice{Factory: factory(e), source: sourceCode})
	}
	if named := r.envExporters(chosen == nil, len(cfg.Reporters) == 0); chosen == nil {
		chosen = named
	}
	ignored := r.set("JAEGER_ENDPOINT", agentHost, exporterVariable, otlpTraces+"ENDPOINT", otlpPrefix+"ENDPOINT")
	for _, e := range chosen {
		ignored = slices.DeleteFunc(ignored, func(name string) bool { return e.uses(name) })
	}
	for _, e := range chosen {
		r.note("exporter", e.Name+" "+e.Endpoint, e.source, ignored...)
		r.settings = append(r.settings, e.notes...)
	}
	return chosen
}

// uses reports whether the exporter is there because of a variable, or because of one that goes with it.
func (e exporterChoice) uses(variable string) bool {
	switch {
	case variable == e.source:
		return true
	case strings.HasPrefix(e.source, otlpPrefix), strings.HasPrefix(e.source, otelJaeger):
		return variable == exporterVariable
	case e.source == "JAEGER_AGENT_PORT":
		return variable == "JAEGER_AGENT_HOST"
	}
	return false
}

// envExporters are those that the environment names. JAEGER_ENDPOINT names an exporter, and wins over
// OTEL_TRACES_EXPORTER; where that lists jaeger, they are one, so that a program can send to both while it is moved.
// JAEGER_AGENT_HOST and _PORT only say where an agent is: they are left over in many deployments, sidecar injectors
// set them, current versions of Jaeger have no agent, and what is sent to none by UDP is lost without a sign. So they
// choose an exporter only if OTEL_TRACES_EXPORTER does not.
func (r *resolver) envExporters(used, needed bool) []exporterChoice {
	defer r.onlyIf(used)()
	names := r.exporterNames()
	listed := slices.Contains(names, "jaeger")
	jaeger, hasJaeger := r.jaegerExporter(names != nil, listed)
	useJaeger := hasJaeger && !listed
	otlpSet := r.set(otlpTraces+"ENDPOINT", otlpPrefix+"ENDPOINT", otlpTraces+"PROTOCOL", otlpPrefix+"PROTOCOL")
	useOTLP := !useJaeger && (slices.Contains(names, "otlp") || names == nil && (needed || len(otlpSet) > 0))
	otlp := r.otlpExporter(useOTLP)
	switch {
	case !used:
		return nil
	case useJaeger && names != nil:
		r.conflict(jaeger.source, exporterVariable)
	case useJaeger && otlp.source != sourceDefault:
		r.conflict(jaeger.source, otlp.source)
	}
	switch {
	case useJaeger:
		return []exporterChoice{jaeger}
	case names != nil:
		return listedExporters(names, otlp, jaeger)
	case useOTLP:
		return []exporterChoice{otlp}
	}
	return nil
}

func listedExporters(names []string, otlp, jaeger exporterChoice) (out []exporterChoice) {
	for _, name := range names {
		switch name {
		case "otlp":
			if otlp.source == sourceDefault {
				otlp.source = exporterVariable
			}
			out = append(out, otlp)
		case "console":
			out = append(out, exporterChoice{Factory: factory(Console(os.Stdout)), source: exporterVariable})
		case "jaeger":
			out = append(out, jaeger)
		}
	}
	return out
}

// exporterNames reads OTEL_TRACES_EXPORTER. It is nil if the variable is not set or wrong.
func (r *resolver) exporterNames() []string {
	known := []string{"otlp", "console", "none", "jaeger"}
	var names []string
	raw := r.get(exporterVariable)
	for _, name := range listOf(raw) {
		switch {
		case slices.Contains(names, name):
		case slices.Contains(known, name):
			names = append(names, name)
		case name == "zipkin" && r.unused: // right elsewhere
		default:
			r.wrong(exporterVariable, raw, expected("a list of "+strings.Join(known, ", ")))
			return nil
		}
	}
	if len(names) > 1 && slices.Contains(names, "none") {
		r.wrong(exporterVariable, raw, errors.New("none does not go with others"))
	}
	return names
}
