//go:build allinone

package jaeger

import (
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/proc"
)

// build builds the program that the Jaeger project ships.
func build(t testing.TB) string {
	return proc.Build(t, "jaegerd", "github.com/jaegertracing/jaeger/cmd/all-in-one", "all-in-one")
}

func programFlags(_ testing.TB, j *Jaeger, addr []string) []string {
	return append(version1Flags(j, addr), "--admin.http.host-port="+addr[10], "--log-level=warn")
}
