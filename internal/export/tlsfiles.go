package export

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"time"
)

// TLSFiles is TLS configured by files, which are read again when they change. Its methods are for one goroutine; one
// value serves one exporter.
type TLSFiles struct {
	paths  [3]string      // of the roots, the client's certificate and its key, in PEM; "": none
	seen   [3]os.FileInfo // as the files were read last; nil for one that could not be
	failed bool           // the files were no valid set then
	config *tls.Config
	warned time.Time
}

// FileError is what is wrong with one of the files.
type FileError struct {
	Path string
	Err  error // may name the path
}

// NewTLSFiles reads the files. "" stands for no file: the system's roots, no client certificate.
func NewTLSFiles(roots, cert, key string) (*TLSFiles, []FileError) {
	f := &TLSFiles{paths: [3]string{roots, cert, key}}
	f.stat()
	config, errs := f.load()
	f.config, f.failed = config, len(errs) > 0
	return f, errs
}

// Clone returns a copy for another exporter.
func (f *TLSFiles) Clone() *TLSFiles {
	c := *f
	return &c
}

// Config returns the last good configuration. The caller must not change it.
func (f *TLSFiles) Config() *tls.Config { return f.config }

// Renew reads the files if they have changed, and reports whether there is a new configuration. While they are no
// valid set, as in the middle of a renewal, the last good one stays.
func (f *TLSFiles) Renew(logger *slog.Logger) bool {
	if !f.stat() && !f.failed {
		return false
	}
	config, errs := f.load()
	if f.failed = len(errs) > 0; f.failed {
		if logger != nil && time.Since(f.warned) >= lossInterval {
			f.warned = time.Now()
			warn(logger, errs[0])
		}
		return false
	}
	f.config = config
	return true
}

func warn(logger *slog.Logger, e FileError) {
	defer func() { _ = recover() }() // the logger's handler is the user's
	logger.Warn("the TLS files of an exporter have changed and cannot be used; the last good ones stay",
		"file", e.Path, "error", e.Err)
}

// stat reports whether a file has changed since the last call. A file that was replaced is another one even if it has
// the same size and time: file systems count time in steps of milliseconds.
func (f *TLSFiles) stat() (changed bool) {
	for i, path := range f.paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		changed = changed || !sameState(f.seen[i], info)
		f.seen[i] = info
	}
	return changed
}

func sameState(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

func (f *TLSFiles) load() (config *tls.Config, errs []FileError) {
	config = &tls.Config{MinVersion: tls.VersionTLS12}
	read := func(path string) []byte {
		b, err := readFile(path)
		if err != nil {
			errs = append(errs, FileError{path, err})
		}
		return b
	}
	if path := f.paths[0]; path != "" {
		config.RootCAs = x509.NewCertPool()
		if pem := read(path); len(errs) == 0 && !config.RootCAs.AppendCertsFromPEM(pem) {
			errs = append(errs, FileError{path, errors.New("want a file of certificates in PEM form")})
		}
	}
	if cert, key := f.paths[1], f.paths[2]; cert != "" && key != "" {
		before := len(errs)
		certPEM, keyPEM := read(cert), read(key)
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil && len(errs) == before {
			errs = append(errs, pairError(cert, key, certPEM, keyPEM, err))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, errs
}
