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
	paths  [3]string // of the roots, the client's certificate and its key, in PEM; "": none
	seen   [3]fileState
	config *tls.Config
	warned time.Time
}

type fileState struct {
	modified time.Time
	size     int64
	err      bool
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
	f.config = config
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
	if !f.stat() {
		return false
	}
	config, errs := f.load()
	if len(errs) > 0 {
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

// stat reports whether a file has changed since the last call.
func (f *TLSFiles) stat() (changed bool) {
	for i, path := range f.paths {
		if path == "" {
			continue
		}
		state := fileState{err: true}
		if info, err := os.Stat(path); err == nil {
			state = fileState{modified: info.ModTime(), size: info.Size()}
		}
		changed = changed || state != f.seen[i]
		f.seen[i] = state
	}
	return changed
}

func (f *TLSFiles) load() (config *tls.Config, errs []FileError) {
	config = &tls.Config{MinVersion: tls.VersionTLS12}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
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
			errs = append(errs, FileError{cert, err})
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, errs
}
