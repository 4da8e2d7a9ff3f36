// Package e2e is the part of the tests that meets the real world: programs that nobody here wrote, over real sockets.
//
//   - jaeger: a real Jaeger takes spans by every road and answers its query API; it also serves sampling.
//   - neighbours: services instrumented by OpenTelemetry, and clients that speak only B3 or Jaeger's header.
//   - faults: collectors that die, hang, refuse and crawl, with every span accounted for.
//   - traffic: what users send through the kit, equal with and without it.
//   - tracer: OpenTracing's own checks of a tracer.
//   - browser: the trace page in a headless Chromium.
//
// It is a module of its own, so that none of this reaches the users of the kit. `make e2e` runs all of it and prints
// one line for each scenario.
package e2e
