//go:build !allinone && !jaeger2

package jaeger

import (
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/proc"
)

func build(t testing.TB) string { return proc.Build(t, "jaegerd", ".", "jaegerd") }

func programFlags(_ testing.TB, j *Jaeger, addr []string) []string { return version1Flags(j, addr) }
