package tracerinit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
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
func (r *resolver) otlpExporter(used bool) choice {
	var c choice
	note := func(name, value, source string) {
		if source != byDefault {
			c.notes = append(c.notes, Setting{"exporter." + name, value, source})
		}
	}
	protocol, protocolSource := r.otlpProtocol(used)
	endpoint, source := r.otlpEndpoint(protocol)
	if c.source = source; source == byDefault {
		c.source = protocolSource
	}
	timeout, source := otlpSetting(r, "TIMEOUT", milliseconds(1))
	note("timeout", timeout.String(), source)
	compression, source := otlpSetting(r, "COMPRESSION", oneOf("gzip", "none"))
	note("compression", compression, source)
	insecure, source := otlpSetting(r, "INSECURE", boolean)
	note("insecure", fmt.Sprint(insecure), source)
	headers, source := r.otlpHeaders()
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		note("header."+name, mask, source)
	}
	security := r.otlpTLS(used, note)

	if build, linked := export.OTLPGRPC(); protocol == "grpc" && linked {
		c.Exporter = build(export.OTLPConfig{Endpoint: endpoint, Headers: headers, TLS: security, Insecure: insecure, Compression: compression})
	} else {
		c.Exporter = OTLPHTTP(endpoint, otlpOptions(headers, security, compression)...)
	}
	if timeout > 0 {
		c.Timeout = timeout
	}
	return c
}

// otlpSetting is what OTEL_EXPORTER_OTLP_TRACES_<suffix> says, or else OTEL_EXPORTER_OTLP_<suffix>, or zero.
func otlpSetting[T comparable](r *resolver, suffix string, parse func(string) (T, error)) (T, string) {
	var zero T
	return choose(r, zero, zero, from(r, otlpTraces+suffix, parse), from(r, otlpPrefix+suffix, parse))
}

func otlpOptions(headers map[string]string, security *tls.Config, compression string) []HTTPOption {
	opts := []HTTPOption{WithHeaders(headers), WithTLS(security)}
	switch compression {
	case "gzip":
		opts = append(opts, WithCompression())
	case "none":
		opts = append(opts, WithoutCompression())
	}
	return opts
}

func (r *resolver) otlpProtocol(used bool) (protocol, source string) {
	spoken := oneOf("http/protobuf", "grpc")
	elsewhere := oneOf("http/protobuf", "grpc", "http/json") // of another exporter, or for other signals
	traces, general := from(r, otlpTraces+"PROTOCOL", spoken), from(r, otlpPrefix+"PROTOCOL", spoken)
	if !used {
		traces.parse = elsewhere
	}
	if !used || traces.raw != "" {
		general.parse = elsewhere
	}
	protocol, source = choose(r, "", "http/protobuf", traces, general)
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
		r.wrongURL(name, raw, err)
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

func (r *resolver) otlpHeaders() (headers map[string]string, name string) {
	name, raw := r.otlp("HEADERS")
	headers = map[string]string{}
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
		maps.DeleteFunc(headers, func(earlier, _ string) bool { return strings.EqualFold(earlier, k) })
		headers[k] = v
	}
	return headers, name
}

// otlpTLS reads the files that the variables name; nil if there are none.
func (r *resolver) otlpTLS(used bool, note func(name, value, source string)) *tls.Config {
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
			r.wrong(rootsName, roots, bare(err))
		}
		note("certificate", roots, rootsName)
	}
	switch {
	case cert != "" && key == "":
		r.wrong(certName, cert, wanted(strings.Replace(certName, "CERTIFICATE", "KEY", 1)+" with it"))
	case cert == "" && key != "":
		r.wrong(keyName, key, wanted(strings.Replace(keyName, "KEY", "CERTIFICATE", 1)+" with it"))
	case cert != "":
		note("client_certificate", cert, certName)
		config.Certificates = r.keyPair(certName, cert, keyName, key)
	}
	return config
}

// bare is an error about a file without its path, which the message has already, if it may.
func bare(err error) error {
	if e := new(os.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (r *resolver) keyPair(certName, cert, keyName, key string) []tls.Certificate {
	certPEM, errCert := os.ReadFile(cert)
	keyPEM, errKey := os.ReadFile(key)
	if errCert != nil {
		r.wrong(certName, cert, bare(errCert))
	}
	if errKey != nil {
		r.wrong(keyName, key, bare(errKey))
	}
	if errCert != nil || errKey != nil {
		return nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		r.wrong(certName, cert, err)
	}
	return []tls.Certificate{pair}
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
