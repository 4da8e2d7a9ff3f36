package tracerinit_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain leaves the tests without the variables of the machine that runs them.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "JAEGER_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}
