package tracerinit

import (
	"net"
	"strconv"

	"github.com/uber/jaeger-client-go"
)

// sourced is a value and where it was said.
type sourced[T any] struct {
	value  T
	source string
}

// jaegerExporter is what JAEGER_ENDPOINT, or else JAEGER_AGENT_HOST and JAEGER_AGENT_PORT, ask for.
func (r *resolver) jaegerExporter() (sourced[Exporter], bool) {
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
		r.wrong("JAEGER_ENDPOINT", shownURL(raw), err)
		return agent, false
	}
	return sourced[Exporter]{JaegerHTTP(raw, r.jaegerCredentials()...), "JAEGER_ENDPOINT"}, true
}

func (r *resolver) jaegerCredentials() []HTTPOption {
	user, password, token := r.get("JAEGER_USER"), r.get("JAEGER_PASSWORD"), r.get("JAEGER_AUTH_TOKEN")
	switch {
	case token != "":
		if user != "" || password != "" {
			r.warn("JAEGER_AUTH_TOKEN wins over JAEGER_USER and JAEGER_PASSWORD")
		}
		return []HTTPOption{WithBearerToken(token)}
	case user != "" && password != "":
		return []HTTPOption{WithBasicAuth(user, password)}
	case user != "":
		r.wrong("JAEGER_USER", user, wanted("JAEGER_PASSWORD with it"))
	case password != "":
		r.wrongSecret("JAEGER_PASSWORD", wanted("JAEGER_USER with it"))
	}
	return nil
}

func (r *resolver) jaegerAgent() (sourced[Exporter], bool) {
	host, hostSource := choose(r, "", jaeger.DefaultUDPSpanServerHost, from(r, "JAEGER_AGENT_HOST", hostName))
	port, portSource := choose(r, 0, jaeger.DefaultUDPSpanServerPort, from(r, "JAEGER_AGENT_PORT", portNumber))
	if hostSource == byDefault && portSource == byDefault {
		return sourced[Exporter]{}, false
	}
	source := hostSource
	if source == byDefault {
		source = portSource
	}
	return sourced[Exporter]{JaegerUDP(net.JoinHostPort(host, strconv.Itoa(port))), source}, true
}
