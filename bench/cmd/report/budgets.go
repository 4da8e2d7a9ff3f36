package main

import (
	"fmt"
	"io"
)

// budget is a promise: so many allocations net of the bare handler, and so much of the fastest peer's net CPU time.
type budget struct {
	work, bench, name string // name: "case" of the group
	must, aim         float64
	cpuMust, cpuAim   float64 // 0: none
}

var budgets = []budget{
	{"HTTP server, sampled root", "HTTPServer", "sampled", 7, 5, 0.8, 0.6},
	{"HTTP server, sampled remote parent", "HTTPServer", "parent-sampled", 7, 5, 0.7, 0.5},
	{"HTTP server, unsampled root", "HTTPServer", "unsampled", 5, 3, 0.7, 0.5},
	{"HTTP server, unsampled remote parent", "HTTPServer", "parent-unsampled", 5, 3, 0.7, 0.45},
	{"HTTP client, sampled", "HTTPClient", "sampled", 11, 9, 0.55, 0.45},
	{"HTTP client, unsampled", "HTTPClient", "unsampled", 9, 7, 0.5, 0.4},
	{"gRPC unary server, root", "GRPCUnaryServer", "root", 4, 3, 0.55, 0.45},
	{"gRPC unary server, W3C parent", "GRPCUnaryServer", "w3c-parent", 4, 3, 0.55, 0.45},
	{"gRPC unary server, Jaeger parent", "GRPCUnaryServer", "jaeger-parent", 4, 3, 0.55, 0.45},
	{"gRPC unary client, in a traced request", "GRPCUnaryClient", "child", 8, 7, 0.65, 0.55},
	{"gRPC bidi, 100 messages", "GRPCBidi100", "sampled", 34, 29, 0, 0},
	{"extract, no context", "Extract", "none", 0, 0, 1.5, 0.8},
	{"extract, W3C", "Extract", "w3c", 2, 2, 1.1, 0},
	{"extract, Jaeger", "Extract", "jaeger", 2, 2, 0.34, 0},
	{"inject W3C + Jaeger", "Inject", "root", 3, 2, 0, 0},
	{"OpenTelemetry span through otelbridge, sampled", "OTelSpan", "sampled", 5, 4, 1, 0.8},
	{"OpenTelemetry span through otelbridge, unsampled", "OTelSpan", "unsampled", 5, 4, 0, 0},
	{"inject through otelbridge", "OTelSpan", "inject", 3, 2, 0, 0},
	{"metrics of a traced HTTP request", "Metrics", "http-sampled", 1, 0, 0, 0},
	{"metrics of a traced RPC", "Metrics", "grpc-sampled", 1, 0, 0, 0},
	{"span to OTLP bytes", "Encode", "otlp", 4, 3, 0, 0},
}

func writeBudgets(w io.Writer, all []measured) {
	fmt.Fprint(w, "\n## Budgets\n\nNet of the bare handler: allocations exact, CPU as a ratio to the fastest peer ",
		"in the same round.\n\n")
	row(w, []string{"work", "allocs", "must", "aim", "CPU ratio", "must", "aim", "met"})
	row(w, []string{"---", "---", "---", "---", "---", "---", "---", "---"})
	for _, b := range budgets {
		for i := range all {
			if all[i].bench == b.bench {
				b.write(w, &all[i])
			}
		}
	}
}

func (b budget) write(w io.Writer, m *measured) {
	allocs, ok := m.median(b.name, "spanloom", "allocs/op")
	if !ok {
		return
	}
	if bare, has := m.median(b.name, "bare", "allocs/op"); has {
		allocs -= bare
	}
	_, rival := m.fastest(b.name)
	cpu, hasCPU := m.netRatio(b.name, "spanloom", rival)
	met := allocs <= b.must && (b.cpuMust == 0 || !hasCPU || cpu <= b.cpuMust)
	verdict := "**no**"
	if met {
		verdict = "yes"
	}
	row(w, []string{
		b.work, cell(allocs, true), cell(b.must, true), cell(b.aim, true),
		ratio(cpu, hasCPU && b.cpuMust > 0), ratio(b.cpuMust, b.cpuMust > 0), ratio(b.cpuAim, b.cpuAim > 0), verdict,
	})
}
