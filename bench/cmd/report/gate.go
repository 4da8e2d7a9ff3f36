package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
)

const (
	gateFile = "gate.json"
	// A work may need one allocation more than recorded and 15 % more CPU time, as a ratio to the floor of the same run:
	// ratios of one run hold on other machines, too.
	allocSlack = 1
	cpuSlack   = 1.15
)

// limit is what a work needed when it was recorded, net of the bare handler. A span of OpenTelemetry code has
// OpenTelemetry's SDK for a floor.
type limit struct {
	Allocs float64 `json:"allocs"`
	Floor  float64 `json:"cpu-to-floor,omitempty"` // CPU time as a ratio to the floor's; 0 if the work has no floor
}

const sdk = "otel-sdk"

func (b budget) key() string { return b.bench + "/" + b.name }

// gate measures spanloom and the floor alone and compares them with gate.json.
func gate(binary string) error {
	text, err := os.ReadFile(gateFile)
	if err != nil {
		return err
	}
	limits := map[string]limit{}
	if err := json.Unmarshal(text, &limits); err != nil {
		return fmt.Errorf("%s: %w", gateFile, err)
	}
	failed := 0
	for _, b := range budgets {
		recorded, ok := limits[b.key()]
		if !ok {
			return fmt.Errorf("%s has no line for %s: run with -record", gateFile, b.key())
		}
		met, err := b.check(binary, recorded)
		if err != nil {
			return err
		}
		if !met {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d works cost more than recorded", failed)
	}
	return nil
}

// check measures the work of one budget, prints how it compares with what is recorded, and reports whether it costs no
// more. What exceeds its limit is measured again, with more rounds, up to three times before it fails, because other
// programs may have disturbed a measurement.
func (b budget) check(binary string, recorded limit) (met bool, err error) {
	const rounds = 3
	got, err := b.measure(binary, rounds)
	for again := 0; again < 3 && err == nil && got.exceeds(recorded); again++ {
		got, err = b.measure(binary, 4*rounds)
	}
	if err != nil {
		return false, err
	}
	met = !got.exceeds(recorded)
	verdict := "ok"
	if !met {
		verdict = "FAILED"
	}
	fmt.Printf("%-6s %-38s %3.0f allocations (recorded %.0f), %.2f of the floor (recorded %.2f)\n",
		verdict, b.work, got.Allocs, recorded.Allocs, got.Floor, recorded.Floor)
	return met, nil
}

// recordLimits measures as gate does and writes gate.json.
func recordLimits(binary string) error {
	const rounds = 9
	limits := map[string]limit{}
	for _, b := range budgets {
		got, err := b.measure(binary, rounds)
		if err != nil {
			return err
		}
		limits[b.key()] = got
	}
	text, err := json.MarshalIndent(limits, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(gateFile, append(text, '\n'), 0o644)
}

func (l limit) exceeds(recorded limit) bool {
	return l.Allocs > recorded.Allocs+allocSlack || recorded.Floor > 0 && l.Floor > recorded.Floor*cpuSlack
}

// measure runs the work of one budget for spanloom, the floor and the bare handler.
func (b budget) measure(binary string, rounds int) (l limit, err error) {
	g := group{bench: b.bench, time: "100ms"}
	g.filter = "/^" + regexp.QuoteMeta(b.name) + "$/^(bare|floor|spanloom|" + sdk + ")$"
	if b.name == "otlp" { // a case without peers
		g.filter = "/^otlp$"
	}
	m, err := g.measure(binary, rounds)
	if err != nil {
		return l, err
	}
	allocs, ok := m.median(b.name, "spanloom", "allocs/op")
	if !ok {
		return l, fmt.Errorf("%s/%s was not measured", b.bench, b.name)
	}
	if bare, has := m.median(b.name, "bare", "allocs/op"); has {
		allocs -= bare
	}
	l.Allocs = allocs
	floor, ok := m.netRatio(b.name, "spanloom", "floor")
	if !ok {
		floor, _ = m.netRatio(b.name, "spanloom", sdk)
	}
	l.Floor = math.Round(floor*100) / 100
	return l, nil
}
