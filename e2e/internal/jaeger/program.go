//go:build !allinone

package jaeger

import (
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/proc"
)

func build(t testing.TB) string { return proc.Build(t, "jaegerd", ".", "jaegerd") }

func programFlags(string) []string { return nil }
