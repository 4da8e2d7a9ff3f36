// Package bench puts spanloom beside its peers on the same work, in one process, in one run. README.md says what the
// figures mean, RESULTS.md holds the last ones, and cmd/report makes them.
package bench
