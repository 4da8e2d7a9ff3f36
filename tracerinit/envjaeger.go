package tracerinit

import (
	"net"
	"strconv"

	"github.com/uber/jaeger-client-go"
)

// jaegerExporter is what JAEGER_ENDPOINT, or else JAEGER_AGENT_HOST and JAEGER_AGENT_PORT, ask for.
func (r *resolver) jaegerExporter() (choice, bool) {
	agent, hasAgent := r.jaegerAgent()
	raw := r.get("JAEGER_ENDPOINT")
	if raw == "" {
		for _, name := range []string{"JAEGER_USER", "JAEGER_PASSWORD", "JAEGER_AUTH_TOKEN"} {
			if r.get(name) != "" {
				r.warn(name + " has no effect without JAEGER_ENDPOINT")
			}
		}
		return agent, hasAgent
	}
	if err := judgeURL(raw); err != nil {
		r.wrongURL("JAEGER_ENDPOINT", raw, err)
		return agent, false
	}
	opts, notes := r.jaegerCredentials()
	return choice{JaegerHTTP(raw, opts...), "JAEGER_ENDPOINT", notes}, true
}

func (r *resolver) jaegerCredentials() ([]HTTPOption, []Setting) {
	user, password, token := r.get("JAEGER_USER"), r.get("JAEGER_PASSWORD"), r.get("JAEGER_AUTH_TOKEN")
	switch {
	case token != "":
		if user != "" || password != "" {
			r.warn("JAEGER_AUTH_TOKEN wins over JAEGER_USER and JAEGER_PASSWORD")
		}
		return []HTTPOption{WithBearerToken(token)}, []Setting{{"exporter.token", mask, "JAEGER_AUTH_TOKEN"}}
	case user != "" && password != "":
		return []HTTPOption{WithBasicAuth(user, password)}, []Setting{{"exporter.user", user, "JAEGER_USER"}, {"exporter.password", mask, "JAEGER_PASSWORD"}}
	case user != "":
		r.wrong("JAEGER_USER", user, wanted("JAEGER_PASSWORD with it"))
	case password != "":
		r.wrongSecret("JAEGER_PASSWORD", wanted("JAEGER_USER with it"))
	}
	return nil, nil
}

func (r *resolver) jaegerAgent() (choice, bool) {
	host, hostSource := choose(r, "", jaeger.DefaultUDPSpanServerHost, from(r, "JAEGER_AGENT_HOST", hostName))
	port, portSource := choose(r, 0, jaeger.DefaultUDPSpanServerPort, from(r, "JAEGER_AGENT_PORT", portNumber))
	if hostSource == byDefault && portSource == byDefault {
		return choice{}, false
	}
	source := hostSource
	if source == byDefault {
		source = portSource
	}
	return choice{Exporter: JaegerUDP(net.JoinHostPort(host, strconv.Itoa(port))), source: source}, true
}
