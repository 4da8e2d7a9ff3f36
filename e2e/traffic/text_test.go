package traffic_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"strings"
)

var port = regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`)

// withoutPorts makes texts of two runs comparable.
func withoutPorts(s string) string { return port.ReplaceAllString(s, "$1:…") }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

func newText(s string) io.Reader { return strings.NewReader(s) }
