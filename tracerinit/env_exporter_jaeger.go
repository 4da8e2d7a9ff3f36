package tracerinit

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/uber/jaeger-client-go"
)

const (
	defaultJaeger = "http://localhost:14268/api/traces"
	otelJaeger    = "OTEL_EXPORTER_JAEGER_"
	agentHost     = "JAEGER_AGENT_HOST"
	agentPortVar  = "JAEGER_AGENT_PORT"
)

// jaegerExporter is the exporter that JAEGER_ENDPOINT, or else JAEGER_AGENT_HOST and JAEGER_AGENT_PORT, name, or if
// OTEL_TRACES_EXPORTER lists jaeger, OTEL_EXPORTER_JAEGER_*. named says that OTEL_TRACES_EXPORTER is set.
func (r *resolver) jaegerExporter(named, listed bool) (exporterChoice, bool) {
	endpoint := r.get("JAEGER_ENDPOINT")
	restore := r.onlyIf(endpoint == "" && (listed || !named))
	agent, hasAgent := r.jaegerAgent(agentHost, agentPortVar)
	restore()
	hasJaeger := endpoint != "" || hasAgent
	otel, hasOTel := r.otelJaegerExporter(listed && !hasJaeger)
	r.jaegerLeftovers(listed, hasJaeger, hasOTel, hasAgent && named && endpoint == "")
	switch {
	case endpoint != "":
		return r.jaegerCollector("JAEGER_ENDPOINT", endpoint, r.jaegerCredentials), true
	case hasAgent && (listed || !named):
		return agent, true
	case listed:
		return otel, true
	}
	return exporterChoice{}, false
}

// jaegerLeftovers warns of variables of Jaeger exporters that have no effect beside the others.
func (r *resolver) jaegerLeftovers(listed, hasJaeger, hasOTel, agentBesideNames bool) {
	if r.unused {
		return
	}
	if r.get("JAEGER_ENDPOINT") == "" {
		for _, name := range r.set("JAEGER_USER", "JAEGER_PASSWORD", "JAEGER_AUTH_TOKEN") {
			r.warn(name + " has no effect without JAEGER_ENDPOINT")
		}
	}
	if agentBesideNames && !listed {
		for _, name := range r.set(agentHost, agentPortVar) {
			r.warn("a variable is not used, since OTEL_TRACES_EXPORTER names the exporters: "+
				"unset it, or add jaeger to the list", slogVariable(name))
		}
	}
	switch {
	case hasOTel && !listed:
		r.warn("OTEL_EXPORTER_JAEGER_* has no effect unless OTEL_TRACES_EXPORTER lists jaeger")
	case hasOTel && hasJaeger:
		r.conflict(cmp.Or(strings.Join(r.set("JAEGER_ENDPOINT"), ""), "JAEGER_AGENT_*"), otelJaeger+"*")
	}
}

// jaegerCollector is the exporter for a collector that a variable names.
func (r *resolver) jaegerCollector(
	variable, endpoint string, credentials func() ([]HTTPOption, []Setting),
) exporterChoice {
	opts, notes := credentials()
	if err := validateURL(endpoint, defaultJaeger); err != nil {
		r.wrongURL(variable, endpoint, err)
		endpoint = defaultJaeger
	} else if u, err := url.Parse(endpoint); err == nil && u.Port() == "14250" {
		r.wrongURL(variable, endpoint, errors.New("14250 is Jaeger's port for gRPC; thrift over HTTP is on port 14268"))
	}
	return exporterChoice{factory(JaegerHTTP(endpoint, opts...)), variable, notes}
}

func (r *resolver) jaegerCredentials() ([]HTTPOption, []Setting) {
	token := r.get("JAEGER_AUTH_TOKEN")
	if token == "" {
		return r.basicAuth("JAEGER_USER", "JAEGER_PASSWORD")
	}
	if len(r.set("JAEGER_USER", "JAEGER_PASSWORD")) > 0 {
		r.warn("JAEGER_AUTH_TOKEN wins over JAEGER_USER and JAEGER_PASSWORD")
	}
	note := Setting{Name: "exporter.token", Value: mask, Source: "JAEGER_AUTH_TOKEN"}
	return []HTTPOption{WithBearerToken(token)}, []Setting{note}
}

func (r *resolver) basicAuth(userVariable, passwordVariable string) ([]HTTPOption, []Setting) {
	user, password := r.get(userVariable), r.get(passwordVariable)
	switch {
	case user != "" && password != "":
		shown := user
		if !isPlain(user) {
			shown = mask
		}
		return []HTTPOption{WithBasicAuth(user, password)}, []Setting{
			{Name: "exporter.user", Value: shown, Source: userVariable},
			{Name: "exporter.password", Value: mask, Source: passwordVariable},
		}
	case user != "":
		r.wrong(userVariable, user, expected(passwordVariable+" with it"))
	case password != "":
		r.wrongSecret(passwordVariable, password, expected(userVariable+" with it"))
	}
	return nil, nil
}

// jaegerAgent is the exporter for an agent. It is false if neither variable is set, or the only one holds no port.
func (r *resolver) jaegerAgent(hostVariable, portVariable string) (exporterChoice, bool) {
	host := choose(r, "", jaeger.DefaultUDPSpanServerHost, from(r, hostVariable, hostName))
	port := choose(r, 0, jaeger.DefaultUDPSpanServerPort, r.port(portVariable))
	source := host.source
	if source == sourceDefault {
		source = port.source
	}
	if port.value == 6832 && !r.unused {
		r.warn("6832 is the agent's port for thrift binary, where spans are lost without a sign; "+
			"thrift compact, as it is sent here, is taken on 6831", slogVariable(portVariable))
	}
	address := net.JoinHostPort(host.value, strconv.Itoa(port.value))
	return exporterChoice{Factory: factory(JaegerUDP(address)), source: source}, source != sourceDefault
}

// otelJaegerExporter is the exporter that OTEL_EXPORTER_JAEGER_* name, as OpenTelemetry's specification had them until
// 2023. Its second result says whether any of them is set.
func (r *resolver) otelJaegerExporter(used bool) (exporterChoice, bool) {
	defer r.onlyIf(used)()
	const endpointVariable = otelJaeger + "ENDPOINT"
	endpoint := r.get(endpointVariable)
	protocol := choose(r, "", "", from(r, otelJaeger+"PROTOCOL", jaegerProtocol)).value
	timeout := choose(r, 0, 0, from(r, otelJaeger+"TIMEOUT", milliseconds(forever)))
	any := len(r.set(endpointVariable, otelJaeger+"PROTOCOL", otelJaeger+"TIMEOUT", otelJaeger+"AGENT_HOST",
		otelJaeger+"AGENT_PORT", otelJaeger+"USER", otelJaeger+"PASSWORD")) > 0
	restore := r.onlyIf(protocol == jaegerOverUDP || protocol == "" && endpoint == "")
	e, hasAgent := r.jaegerAgent(otelJaeger+"AGENT_HOST", otelJaeger+"AGENT_PORT")
	restore()
	switch {
	case protocol == jaegerOverUDP && !hasAgent:
		e.source = otelJaeger + "PROTOCOL"
	case protocol == jaegerOverUDP, protocol == "" && endpoint == "" && hasAgent:
	case endpoint != "":
		e = r.jaegerCollector(endpointVariable, endpoint, r.otelJaegerCredentials)
	default:
		e = r.jaegerCollector(exporterVariable, defaultJaeger, r.otelJaegerCredentials)
	}
	if timeout.value > 0 {
		e.Timeout = timeout.value
		e.note("timeout", shownTimeout(timeout.value), timeout.source)
	}
	return e, any
}

func (r *resolver) otelJaegerCredentials() ([]HTTPOption, []Setting) {
	return r.basicAuth(otelJaeger+"USER", otelJaeger+"PASSWORD")
}

const jaegerOverUDP = "udp/thrift.compact"

// jaegerProtocol reads OTEL_EXPORTER_JAEGER_PROTOCOL.
func jaegerProtocol(s string) (string, error) {
	switch s = strings.ToLower(s); s {
	case "http/thrift.binary", jaegerOverUDP:
		return s, nil
	case "udp/thrift.binary":
		return "", expected(jaegerOverUDP + ", which agents take on port 6831, or http/thrift.binary")
	case "grpc":
		return "", expected("http/thrift.binary, which collectors take on port 14268, or OTEL_TRACES_EXPORTER=otlp, " +
			"which current versions of Jaeger take on ports 4317 and 4318")
	}
	return "", expected("http/thrift.binary or " + jaegerOverUDP)
}
