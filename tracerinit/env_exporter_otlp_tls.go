package tracerinit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
)

// otlpTLS reads the files that the variables name; it is nil if there are none.
func (r *resolver) otlpTLS(e *exporterChoice) *tls.Config {
	rootsName, roots := r.otlp("CERTIFICATE")
	certName, cert := r.otlp("CLIENT_CERTIFICATE")
	keyName, key := r.otlp("CLIENT_KEY")
	if r.unused || roots == "" && cert == "" && key == "" {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots != "" {
		pem, err := os.ReadFile(roots)
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(pem) {
			err = expected("a file of certificates in PEM form")
		}
		if err != nil {
			r.wrongFile(rootsName, roots, err)
		}
		e.note("certificate", shownText(roots), rootsName)
	}
	switch {
	case cert != "" && key == "":
		r.wrongFile(certName, cert, expected(strings.Replace(certName, "CERTIFICATE", "KEY", 1)+" with it"))
	case cert == "" && key != "":
		r.wrongFile(keyName, key, expected(strings.Replace(keyName, "KEY", "CERTIFICATE", 1)+" with it"))
	case cert != "":
		e.note("client_certificate", shownText(cert), certName)
		config.Certificates = r.keyPair(certName, cert, keyName, key)
	}
	return config
}

// wrongFile records an error about a variable that should hold the name of a file.
func (r *resolver) wrongFile(name, path string, err error) {
	r.wrongShown(name, quotedFile(path), path, withoutPath(err))
}

// withoutPath returns an error about a file without its path, which may be a secret written into the wrong variable.
func withoutPath(err error) error {
	if e := new(os.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (r *resolver) keyPair(certName, cert, keyName, key string) []tls.Certificate {
	certPEM, errCert := os.ReadFile(cert)
	keyPEM, errKey := os.ReadFile(key)
	if errCert != nil {
		r.wrongFile(certName, cert, errCert)
	}
	if errKey != nil {
		r.wrongFile(keyName, key, errKey)
	}
	if errCert != nil || errKey != nil {
		return nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		r.wrongFile(certName, cert, err)
	}
	return []tls.Certificate{pair}
}
