package export

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// protocolError says that the first bytes of an answer are not those of HTTP/1.
type protocolError struct {
	text  string
	speak speech
}

func (e *protocolError) Error() string { return e.text }

// speech is what a server turned out to speak.
type speech uint8

const (
	speaksOther speech = iota
	speaksHTTP2
	speaksTLS
)

// checkAnswer returns a [*protocolError] unless an answer that begins with b may be one of HTTP/1.
func checkAnswer(b []byte) *protocolError {
	const start = "HTTP/"
	if n := min(len(b), len(start)); string(b[:n]) == start[:n] {
		return nil
	}
	switch {
	case isSettings(b):
		return &protocolError{"the server speaks HTTP/2 without TLS", speaksHTTP2}
	case len(b) > 1 && b[0] == 0x15 && b[1] == 3: // an alert
		return &protocolError{"a TLS alert instead of HTTP", speaksTLS}
	}
	return &protocolError{fmt.Sprintf("the server does not speak HTTP: it sent %.40q", b), speaksOther}
}

// isSettings reports whether b begins with a SETTINGS frame, with which every server of HTTP/2 begins:
// https://www.rfc-editor.org/rfc/rfc9113#section-3.4
func isSettings(b []byte) bool {
	const lengthBytes = 3
	return len(b) >= 9 && b[lengthBytes] == 4 && bytes.Equal(b[5:9], make([]byte, 4))
}

const (
	hintTLS   = "the server speaks TLS: write https:// instead of http://"
	hintNoTLS = "the server does not speak TLS: write http:// instead of https://"
	hintEOF   = "does the port speak TLS, or gRPC?"
	hintCert  = "the server wants a client certificate that it trusts: by WithTLS, or for OTLP " +
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY"
	hintRoots = "have its CA trusted: by WithTLS, or for OTLP OTEL_EXPORTER_OTLP_CERTIFICATE"
)

// WantsCertificate reports whether an error is a server's alert about the client's certificate, or about its lack.
func WantsCertificate(text string) bool {
	for _, alert := range []string{"certificate required", "bad certificate", "unknown certificate authority"} {
		if strings.Contains(text, "remote error: tls: "+alert) {
			return true
		}
	}
	return false
}

// hint returns what to change about the configuration if err comes from one protocol spoken to the port of another, or
// from a certificate that is not trusted.
func (p *Poster) hint(err error) string {
	var spoken *protocolError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &spoken) && spoken.speak == speaksHTTP2:
		return "this looks like a gRPC port: " + p.GRPCHint
	case errors.As(err, &spoken) && spoken.speak == speaksTLS:
		return hintTLS
	case errors.As(err, &record):
		return hintNoTLS
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return hintRoots
	case WantsCertificate(err.Error()):
		return hintCert
	case !p.answered && isBroken(err):
		return hintEOF
	}
	return ""
}
