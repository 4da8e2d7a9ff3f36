package export

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"
)

var (
	errContent   = errors.New("want the name of a file, not what is in it")
	errEncrypted = errors.New("the key is encrypted: want one without a password")
)

// readFile reads a file of PEM blocks. Its name is mistaken for what is in it where a secret is put into a variable.
func readFile(path string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(path), "-----BEGIN") {
		return nil, errContent
	}
	return os.ReadFile(path)
}

// pairError says which file of a certificate and its key is wrong, for an error about both.
func pairError(cert, key string, certPEM, keyPEM []byte, err error) FileError {
	switch block := certificateIn(certPEM); {
	case block == nil:
		return FileError{cert, err}
	case bytes.Contains(keyPEM, []byte("ENCRYPTED")):
		return FileError{key, errEncrypted}
	default:
		if _, invalid := x509.ParseCertificate(block.Bytes); invalid != nil {
			return FileError{cert, err}
		}
	}
	return FileError{key, err}
}

// certificateIn returns the first certificate in PEM form, or nil.
func certificateIn(data []byte) *pem.Block {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil || block.Type == "CERTIFICATE" {
			return block
		}
	}
}
