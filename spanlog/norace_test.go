//go:build !race

package spanlog_test

const raceEnabled = false
