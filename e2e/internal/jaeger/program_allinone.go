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

func programFlags(admin string) []string {
	return []string{"--admin.http.host-port=" + admin, "--log-level=warn"}
}
