// Package wait polls for things that happen elsewhere.
package wait

import (
	"testing"
	"time"
)

// For tries every few milliseconds until ok, and fails the test with what it saw last when within ends.
func For(t testing.TB, within time.Duration, what string, try func() (saw any, ok bool)) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for {
		saw, ok := try()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v for %s; last seen: %v", within, what, saw)
		}
	}
}
