// Package e2e is the part of the tests that meets the real world: programs that nobody here wrote, over real sockets.
//
//   - jaeger: a real Jaeger takes spans by every road and returns the same trace for each; it also serves sampling.
//   - collector: a real OpenTelemetry Collector, and a real Jaeger v1, addressed by names that are not loopback.
//   - programs: the example programs as their users run them, seen on their own page and in a real Jaeger.
//   - neighbours: services instrumented by OpenTelemetry or jaeger-client-go, in Go and, by the libraries that are
//     listed in neighbours/node/package.json, in Node; and callers that speak only B3.
//   - faults: backends that die, hang, refuse and crawl, with every span accounted for.
//   - gateways: limits, refusals, pages, redirects and poisonous batches between each exporter and its backend.
//   - traffic: what users send through the kit, equal with and without it.
//   - tracer: OpenTracing's own checks of a tracer.
//   - browser: the trace page in a headless Chromium; its pictures go to shots.
//   - spanview: cmd/spanview, with the stock clients of another language.
//   - deploy: the files of examples/deploy, with a real collector and servers that stand for vendors.
//   - logging, migration: the code in docs/logging.md and docs/migrating.md.
//
// The modules grpc and webtransport, below this one, do the same for what needs other versions of dependencies.
//
// This module is apart from the root, so that none of this reaches the users of the kit. `make e2e` runs it and prints
// one line for each scenario. Jaeger is built once, as a program of its own module (jaegerd), since it needs older
// releases of OpenTelemetry than the neighbours have; `make e2e-jaeger` runs the program that Jaeger ships instead.
// The collector (collectord) is a program of its own module for the same reason.
package e2e
