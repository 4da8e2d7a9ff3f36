//go:build !race

package tracerinit

const raceEnabled = false
