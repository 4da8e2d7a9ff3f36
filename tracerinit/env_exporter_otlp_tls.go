package tracerinit

import (
	"errors"
	"os"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
)

// isPlaintext reports whether nothing is sent in TLS to the endpoint. A socket needs none.
func isPlaintext(endpoint string, insecure bool) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(endpoint), ":")
	switch {
	case scheme == "http", strings.HasPrefix(scheme, "unix"):
		return true
	case ok && scheme == "https":
		return false
	}
	return insecure
}

// otlpTLS reads the files that the variables name. It is nil if there are none, or if an endpoint that was chosen has
// no use for them.
func (r *resolver) otlpTLS(e *exporterChoice, plaintext bool) *export.TLSFiles {
	rootsName, roots := r.otlp("CERTIFICATE")
	certName, cert := r.otlp("CLIENT_CERTIFICATE")
	keyName, key := r.otlp("CLIENT_KEY")
	if r.unused || roots == "" && cert == "" && key == "" {
		return nil
	}
	if plaintext {
		r.warn("certificates have no effect on an endpoint without TLS; write https:// if it has TLS",
			slogVariable(firstSet(rootsName, roots, certName, cert, keyName, key)))
		return nil
	}
	switch {
	case cert != "" && key == "":
		r.wrongFile(certName, cert, expected(strings.Replace(certName, "CERTIFICATE", "KEY", 1)+" with it"))
		cert = ""
	case cert == "" && key != "":
		r.wrongFile(keyName, key, expected(strings.Replace(keyName, "KEY", "CERTIFICATE", 1)+" with it"))
		key = ""
	}
	if roots != "" {
		e.note("certificate", shownText(roots), rootsName)
	}
	if cert != "" {
		e.note("client_certificate", shownText(cert), certName)
	}
	files, errs := export.NewTLSFiles(roots, cert, key)
	for _, err := range errs {
		switch err.Path {
		case roots:
			r.wrongFile(rootsName, roots, err.Err)
		case cert:
			r.wrongFile(certName, cert, err.Err)
		default:
			r.wrongFile(keyName, key, err.Err)
		}
	}
	return files
}

// firstSet returns the first name whose value, which follows it, is not empty.
func firstSet(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			return pairs[i]
		}
	}
	return ""
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
