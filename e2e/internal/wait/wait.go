// Package wait polls for things that happen elsewhere.
package wait

import (
	"testing"
	"time"
)

// Patience is how long tests wait for other processes. It is so long that only a hang exceeds it, also where a machine
// is slow and has other work.
const Patience = 2 * time.Minute

// For tries every few milliseconds until ok, and fails the test with what it saw last when [Patience] ends.
func For(t testing.TB, what string, try func() (saw any, ok bool)) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for {
		saw, ok := try()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v for %s; last seen: %v", Patience, what, saw)
		}
	}
}
