// Package e2e runs real OpenTelemetry libraries, and OpenTelemetry's SDK, beside the bridge. It is a module of its own,
// so that what they need does not reach the users of otelbridge.
package e2e
