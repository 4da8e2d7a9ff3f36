package tracerinit

import (
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/header"
)

const (
	defaultOTLP    = "http://localhost:4318"
	defaultOTLPRPC = "http://localhost:4317"
	tracesPath     = "/v1/traces"
	vendorPath     = "/otlp/traces"
	otlpPrefix     = "OTEL_EXPORTER_OTLP_"
	otlpTraces     = otlpPrefix + "TRACES_"
	grpcPackage    = kitModule + "/tracerinit/otlpgrpc"
)

// otlp returns the name and value of OTEL_EXPORTER_OTLP_TRACES_<suffix>, or else of OTEL_EXPORTER_OTLP_<suffix>.
func (r *resolver) otlp(suffix string) (name, value string) {
	general := r.get(otlpPrefix + suffix)
	if v := r.get(otlpTraces + suffix); v != "" {
		return otlpTraces + suffix, v
	}
	return otlpPrefix + suffix, general
}

// otlpExporter is the exporter that OTEL_EXPORTER_OTLP_* describe. Its source is sourceDefault unless an endpoint or a
// protocol is set.
func (r *resolver) otlpExporter(used bool) exporterChoice {
	defer r.onlyIf(used)()
	var e exporterChoice
	protocol, protocolSource := r.otlpProtocol()
	endpoint, source := r.otlpEndpoint(protocol)
	if e.source = source; source == sourceDefault {
		e.source = protocolSource
	}
	timeout := otlpSetting(&e, r, "TIMEOUT", shownTimeout, milliseconds(forever))
	compression := otlpSetting(&e, r, "COMPRESSION", func(s string) string { return s }, oneOf("gzip", "none"))
	insecure := r.otlpInsecure(&e)
	headers := r.otlpHeaders(&e)
	plaintext := isPlaintext(endpoint, insecure)
	security := r.otlpTLS(&e, plaintext && source != sourceDefault)

	if build, linked := export.OTLPGRPC(); protocol == "grpc" && linked {
		e.Factory = build(export.OTLPConfig{
			Endpoint: endpoint, Headers: headers, TLSFiles: security, Compression: compression,
			Insecure: plaintext,
		})
	} else {
		e.Factory = factory(OTLPHTTP(endpoint, otlpOptions(headers, security, compression)...))
	}
	if timeout > 0 {
		e.Timeout = timeout
	}
	return e
}

// note adds a setting of the exporter.
func (e *exporterChoice) note(name, value, source string, overrides ...string) {
	if source != sourceDefault {
		e.notes = append(e.notes, Setting{"exporter." + name, value, source, strings.Join(overrides, ", ")})
	}
}

// otlpSetting is the value of OTEL_EXPORTER_OTLP_TRACES_<suffix>, or else of OTEL_EXPORTER_OTLP_<suffix>, or zero.
func otlpSetting[T comparable](
	e *exporterChoice, r *resolver, suffix string, shown func(T) string, parse func(string) (T, error),
) T {
	var zero T
	c := choose(r, zero, zero, from(r, otlpTraces+suffix, parse), from(r, otlpPrefix+suffix, parse))
	e.note(strings.ToLower(suffix), shown(c.value), c.source, c.overrides...)
	return c.value
}

func (r *resolver) otlpInsecure(e *exporterChoice) bool {
	c := choose(r, false, false, r.onlyTrue(otlpTraces+"INSECURE"), r.onlyTrue(otlpPrefix+"INSECURE"))
	e.note("insecure", fmt.Sprint(c.value), c.source, c.overrides...)
	return c.value
}

func otlpOptions(headers map[string]string, security *export.TLSFiles, compression string) []HTTPOption {
	opts := []HTTPOption{WithHeaders(headers), func(c *httpConfig) { c.tlsFiles = security }}
	switch compression {
	case "gzip":
		opts = append(opts, WithCompression())
	case "none":
		opts = append(opts, WithoutCompression())
	}
	return opts
}

func (r *resolver) otlpProtocol() (protocol, source string) {
	spoken := oneOf("http/protobuf", "grpc")
	elsewhere := oneOf("http/protobuf", "grpc", "http/json") // of another exporter, or for other signals
	traces, general := from(r, otlpTraces+"PROTOCOL", spoken), from(r, otlpPrefix+"PROTOCOL", spoken)
	if r.unused {
		traces.parse = elsewhere
	}
	if r.unused || traces.raw != "" {
		general.parse = elsewhere
	}
	c := choose(r, "", "http/protobuf", traces, general)
	if _, linked := export.OTLPGRPC(); c.value == "grpc" && !linked && !r.unused {
		r.wrong(c.source, c.value, fmt.Errorf("add import _ %q to the program, or use http/protobuf", grpcPackage))
	}
	return c.value, c.source
}

// otlpEndpoint returns the endpoint and its source. The variable for traces is used as it is; to the general one the
// path for traces is appended, unless it already ends in one, as endpoints copied from a vendor's console do.
func (r *resolver) otlpEndpoint(protocol string) (endpoint, source string) {
	name, raw := r.otlp("ENDPOINT")
	if raw == "" {
		if protocol == "grpc" {
			return defaultOTLPRPC, sourceDefault
		}
		return defaultOTLP, sourceDefault
	}
	if protocol == "grpc" {
		if hintFor(raw) != "" {
			r.wrongURL(name, raw, expected("http://host:port, https://host:port or host:port"))
			return defaultOTLPRPC, name
		}
		return raw, name
	}
	if strings.HasPrefix(strings.ToLower(raw), "unix:") {
		r.wrongURL(
			name, raw, expected("an http:// or https:// URL; only "+otlpPrefix+"PROTOCOL=grpc can use a unix socket"),
		)
		return defaultOTLP, name
	}
	if err := validateURL(raw, defaultOTLP); err != nil {
		if strings.HasSuffix(raw, ":4317") && !strings.Contains(raw, "://") {
			err = fmt.Errorf("%w, or %sPROTOCOL=grpc", err, otlpPrefix)
		}
		r.wrongURL(name, raw, err)
		return defaultOTLP, name
	}
	if name == otlpTraces+"ENDPOINT" {
		return raw, name
	}
	base, query, hasQuery := strings.Cut(raw, "?")
	if base = strings.TrimRight(base, "/"); !strings.HasSuffix(base, tracesPath) &&
		!strings.HasSuffix(base, vendorPath) {
		base += tracesPath
	}
	if hasQuery {
		base += "?" + query
	}
	return base, name
}

// otlpHeaders reads name=value pairs, both percent-encoded, as in W3C Baggage without properties.
func (r *resolver) otlpHeaders(e *exporterChoice) map[string]string {
	variable, raw := r.otlp("HEADERS")
	headers := map[string]string{}
	for e := range entries(raw, url.PathUnescape, url.PathUnescape) {
		k, v := e.key, e.value
		if !e.ok || !header.IsName(k) || !header.IsValue(v) {
			r.wrongSecret(
				variable, raw, expected(fmt.Sprintf("name=value,name=value, percent-encoded; entry %d is not", e.number)),
			)
			continue
		}
		maps.DeleteFunc(headers, func(earlier, _ string) bool { return strings.EqualFold(earlier, k) })
		headers[k] = v
	}
	for _, name := range sortedKeys(headers) {
		if len(name) >= 20 && looksSecret(name) { // a token was written where a name belongs
			name = mask
		}
		e.note("header."+name, mask, variable)
	}
	return headers
}
