//go:build race

package tracerinit_test

const raceEnabled = true
