package collector

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
)

var ids = regexp.MustCompile(`"(traceId|spanId|parentSpanId)":"([0-9a-f]*)"`)

// fixIDs turns the hexadecimal ids of OTLP's JSON into the base64 of protobuf's.
func fixIDs(line []byte) []byte {
	return ids.ReplaceAllFunc(line, func(m []byte) []byte {
		parts := ids.FindSubmatch(m)
		raw, _ := hex.DecodeString(string(parts[2])) // the expression matches digits only
		return []byte(`"` + string(parts[1]) + `":"` + base64.StdEncoding.EncodeToString(raw) + `"`)
	})
}
