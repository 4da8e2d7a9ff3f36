// Package e2e tests package prommw with what reads its output: Prometheus's own parsers of the exposition formats and
// of queries, OpenTelemetry's exporter, whose names it uses, and the parser of profiles of pprof.
package e2e
