package tracerinit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/internal/export"
)

const (
	defaultOTLP    = "http://localhost:4318"
	tracesPath     = "/v1/traces"
	vendorPath     = "/otlp/traces"
	otlpPrefix     = "OTEL_EXPORTER_OTLP_"
	otlpTraces     = otlpPrefix + "TRACES_"
	grpcPackage    = kitModule + "/tracerinit/otlpgrpc"
	defaultOTLPRPC = "http://localhost:4317"
)

// otlp returns the name and value of OTEL_EXPORTER_OTLP_TRACES_<suffix>, or else of OTEL_EXPORTER_OTLP_<suffix>.
func (r *resolver) otlp(suffix string) (name, value string) {
	if v := r.get(otlpTraces + suffix); v != "" {
		return otlpTraces + suffix, v
	}
	return otlpPrefix + suffix, r.get(otlpPrefix + suffix)
}

// otlpExporter is what OTEL_EXPORTER_OTLP_* ask for. Its source is byDefault unless an endpoint or a protocol is set.
// Nothing that only counts if the exporter is used is an error unless used.
func (r *resolver) otlpExporter(used bool) sourced[Exporter] {
	protocol, protocolSource := r.otlpProtocol(used)
	endpoint, endpointSource := r.otlpEndpoint(protocol)
	source := endpointSource
	if source == byDefault {
		source = protocolSource
	}
	timeout, _ := choose(r, 0, 0, from(r, otlpTraces+"TIMEOUT", milliseconds(1)), from(r, otlpPrefix+"TIMEOUT", milliseconds(1)))
	compression, _ := choose(r, "", "", from(r, otlpTraces+"COMPRESSION", oneOf("gzip", "none")),
		from(r, otlpPrefix+"COMPRESSION", oneOf("gzip", "none")))
	insecure, _ := choose(r, false, false, from(r, otlpTraces+"INSECURE", boolean), from(r, otlpPrefix+"INSECURE", boolean))
	headers, security := r.otlpHeaders(), r.otlpTLS(used)

	var e Exporter
	if build, linked := export.OTLPGRPC(); protocol == "grpc" && linked {
		e = build(export.OTLPConfig{Endpoint: endpoint, Headers: headers, TLS: security, Insecure: insecure, Compression: compression})
	} else {
		e = OTLPHTTP(endpoint, otlpOptions(headers, security, compression)...)
	}
	if timeout > 0 {
		e.Timeout = timeout
	}
	return sourced[Exporter]{e, source}
}

func otlpOptions(headers map[string]string, security *tls.Config, compression string) []HTTPOption {
	opts := []HTTPOption{WithHeaders(headers), WithTLS(security)}
	switch compression {
	case "gzip":
		opts = append(opts, withCompression())
	case "none":
		opts = append(opts, WithoutCompression())
	}
	return opts
}

func (r *resolver) otlpProtocol(used bool) (protocol, source string) {
	words := []string{"http/protobuf", "grpc"}
	if !used {
		words = append(words, "http/json") // right elsewhere
	}
	known := oneOf(words...)
	protocol, source = choose(r, "", "http/protobuf", from(r, otlpTraces+"PROTOCOL", known), from(r, otlpPrefix+"PROTOCOL", known))
	if _, linked := export.OTLPGRPC(); protocol == "grpc" && !linked && used {
		r.wrong(source, protocol, fmt.Errorf("add import _ %q to the program, or use http/protobuf", grpcPackage))
	}
	return protocol, source
}

// otlpEndpoint: the variable for traces is taken as it is; to the general one the path for traces is appended,
// unless it already ends in one, as endpoints copied from a vendor's console do.
func (r *resolver) otlpEndpoint(protocol string) (endpoint, source string) {
	name, raw := r.otlp("ENDPOINT")
	if raw == "" {
		if protocol == "grpc" {
			return defaultOTLPRPC, byDefault
		}
		return defaultOTLP, byDefault
	}
	if protocol == "grpc" {
		return raw, name
	}
	if err := judgeURL(raw); err != nil {
		r.wrong(name, shownURL(raw), err)
		return defaultOTLP, name
	}
	if name == otlpTraces+"ENDPOINT" {
		return raw, name
	}
	base, query, hasQuery := strings.Cut(raw, "?")
	if base = strings.TrimRight(base, "/"); !strings.HasSuffix(base, tracesPath) && !strings.HasSuffix(base, vendorPath) {
		base += tracesPath
	}
	if hasQuery {
		base += "?" + query
	}
	return base, name
}

func (r *resolver) otlpHeaders() map[string]string {
	name, raw := r.otlp("HEADERS")
	headers := map[string]string{}
	n := 0
	for entry := range strings.SplitSeq(raw, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		n++
		k, v, ok := strings.Cut(entry, "=")
		k, errKey := url.PathUnescape(strings.TrimSpace(k))
		v, errValue := url.PathUnescape(strings.TrimSpace(v))
		if !ok || errKey != nil || errValue != nil || !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(v) {
			r.wrongSecret(name, wanted(fmt.Sprintf("name=value,name=value, percent-encoded; entry %d is not", n)))
			continue
		}
		headers[k] = v
	}
	return headers
}

// otlpTLS reads the files that the variables name; nil if there are none.
func (r *resolver) otlpTLS(used bool) *tls.Config {
	rootsName, roots := r.otlp("CERTIFICATE")
	certName, cert := r.otlp("CLIENT_CERTIFICATE")
	keyName, key := r.otlp("CLIENT_KEY")
	if !used || roots == "" && cert == "" && key == "" {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots != "" {
		pem, err := os.ReadFile(roots)
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(pem) {
			err = wanted("a file of certificates in PEM form")
		}
		if err != nil {
			r.wrong(rootsName, roots, err)
		}
	}
	switch {
	case cert != "" && key == "":
		r.wrong(certName, cert, wanted(strings.Replace(certName, "CERTIFICATE", "KEY", 1)+" with it"))
	case cert == "" && key != "":
		r.wrong(keyName, key, wanted(strings.Replace(keyName, "KEY", "CERTIFICATE", 1)+" with it"))
	case cert != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			r.wrong(certName, cert, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

// exporterNames reads OTEL_TRACES_EXPORTER.
func (r *resolver) exporterNames(used bool) []string {
	const variable = "OTEL_TRACES_EXPORTER"
	known := []string{"otlp", "console", "none", "jaeger"}
	var names []string
	raw := r.get(variable)
	for name := range strings.SplitSeq(raw, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "" || slices.Contains(names, name):
		case slices.Contains(known, name):
			names = append(names, name)
		case name == "zipkin" && !used: // right elsewhere
		default:
			r.wrong(variable, raw, wanted("a list of "+strings.Join(known, ", ")))
			return nil
		}
	}
	if len(names) > 1 && slices.Contains(names, "none") && used {
		r.wrong(variable, raw, errors.New("none does not go with others"))
	}
	return names
}
