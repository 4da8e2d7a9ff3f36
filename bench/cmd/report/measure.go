package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// group is one Benchmark function.
type group struct {
	bench  string
	title  string
	time   string // -test.benchtime
	rounds int    // at most; 0: no limit
	filter string // cases and peers, as further elements of -test.bench; "" is all
}

var peerGroups = []group{
	{bench: "HTTPServer", title: "HTTP server: chi, `/users/{id}`, 15 headers", time: "150ms"},
	{bench: "HTTPClient", title: "HTTP client: 5 headers, body read to its end", time: "150ms"},
	{bench: "GRPCUnaryServer", title: "gRPC unary, server interceptor alone, 8 keys of metadata", time: "150ms"},
	{bench: "GRPCUnaryClient", title: "gRPC unary, client interceptor alone", time: "150ms"},
	{bench: "GRPCUnaryBothEnds", title: "gRPC unary, both ends, in-memory connection", time: "300ms"},
	{bench: "GRPCBidi100", title: "gRPC bidi, 100 messages each way, both ends, in-memory connection", time: "300ms"},
	{bench: "Extract", title: "Extract, 15 headers", time: "100ms"},
	{bench: "Inject", title: "Inject (spanloom: two formats, the others: one)", time: "100ms"},
	{bench: "OTelSpan", title: "Spans of OpenTelemetry code (spanloom: through otelbridge)", time: "100ms"},
	{bench: "Metrics", title: "Metrics on top of tracing by the kit, which is the bare work here", time: "150ms"},
	{bench: "Encode", title: "One finished span to bytes", time: "100ms"},
	{bench: "Reporter", title: "200,000 spans from two goroutines, as fast as they can", time: "1x", rounds: 5},
	{
		bench: "EndToEnd", title: "A real server on loopback, 64 keep-alive connections, client in the same process",
		time: "20000x", rounds: 7,
	},
}

var scaleGroups = []group{
	{bench: "Scale", title: "One sampled request", time: "200ms"},
	{bench: "Concurrent", title: "Requests open at once", time: "1x", rounds: 3},
	{bench: "IdleStreams", title: "Idle bidi streams, both ends in one process", time: "1x", rounds: 1},
	{bench: "Soak", title: "A million requests with a sampled remote parent", time: "1x", rounds: 1},
}

// measured holds, for each case and peer, one map of unit to value a round.
type measured struct {
	group
	cases []string // in the order of the benchmark
	peers map[string][]string
	runs  map[string][]map[string]float64 // "case/peer"
}

func (g group) measure(binary string, rounds int) (measured, error) {
	if g.rounds > 0 {
		rounds = min(rounds, g.rounds)
	}
	m := measured{group: g, peers: map[string][]string{}, runs: map[string][]map[string]float64{}}
	for range rounds {
		out, err := exec.Command(binary, "-test.run=^$", "-test.bench=^Benchmark"+g.bench+"$"+g.filter,
			"-test.benchtime="+g.time).CombinedOutput()
		if err != nil {
			return m, fmt.Errorf("%s: %w\n%s", g.bench, err, out)
		}
		m.add(out)
	}
	return m, nil
}

// add takes the lines of one round: "BenchmarkHTTPServer/sampled/bare-2  1000  812 ns/op  704 B/op  4 allocs/op".
func (m *measured) add(out []byte) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := f[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		_, name, _ = strings.Cut(name, "/")
		c, peer, _ := strings.Cut(name, "/")
		values := map[string]float64{}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				values[f[i+1]] = v
			}
		}
		if !slices.Contains(m.cases, c) {
			m.cases = append(m.cases, c)
		}
		if !slices.Contains(m.peers[c], peer) {
			m.peers[c] = append(m.peers[c], peer)
		}
		m.runs[name] = append(m.runs[name], values)
	}
}

// median is that of one unit over the rounds, and whether it was measured.
func (m *measured) median(c, peer, unit string) (float64, bool) {
	var all []float64
	for _, run := range m.runs[join(c, peer)] {
		if v, ok := run[unit]; ok {
			all = append(all, v)
		}
	}
	return middle(all)
}

// cost is what peers are compared by: the CPU time of one operation, or the time in which one span is delivered.
func cost(run map[string]float64) (float64, bool) {
	if delivered := run["delivered/s"]; delivered > 0 {
		return 1e9 / delivered, true
	}
	v, ok := run["cpu-ns/op"]
	return v, ok
}

// medianCost is that of a peer over the rounds, and whether it was measured.
func (m *measured) medianCost(c, peer string) (float64, bool) {
	var all []float64
	for _, run := range m.runs[join(c, peer)] {
		if v, ok := cost(run); ok {
			all = append(all, v)
		}
	}
	return middle(all)
}

// netRatio is the median over the rounds of (a − bare) ÷ (b − bare) in cost; without a bare, of a ÷ b.
func (m *measured) netRatio(c, a, b string) (float64, bool) {
	var all []float64
	as, bs, bare := m.runs[join(c, a)], m.runs[join(c, b)], m.runs[join(c, "bare")]
	for i := range min(len(as), len(bs)) {
		base := 0.0
		if i < len(bare) {
			base, _ = cost(bare[i])
		}
		a, _ := cost(as[i])
		b, _ := cost(bs[i])
		if b > base {
			all = append(all, (a-base)/(b-base))
		}
	}
	return middle(all)
}

// toBare is the cost of a peer as a multiple of the untraced work's.
func (m *measured) toBare(c, peer string) (float64, bool) {
	bare, ok := m.medianCost(c, "bare")
	v, _ := m.medianCost(c, peer)
	return v / bare, ok && bare > 0
}

func join(c, peer string) string {
	if peer == "" {
		return c
	}
	return c + "/" + peer
}

func middle(all []float64) (float64, bool) {
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}
