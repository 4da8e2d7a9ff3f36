// Command report runs the benchmarks in rounds, so that all peers see the same weather, and writes RESULTS.md (or, with
// -scale, SCALE.md) with the medians. With -gate it compares spanloom with what gate.json recorded, and with -record it
// writes that file.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	scale := flag.Bool("scale", false, "measure growth instead of peers")
	rounds := flag.Int("rounds", 11, "rounds of each group")
	only := flag.String("only", "", "one group, printed instead of written")
	gateOnly := flag.Bool("gate", false, "compare with gate.json")
	record := flag.Bool("record", false, "write gate.json")
	flag.Parse()
	err := run(*scale, *rounds, *only, *gateOnly, *record)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(scale bool, rounds int, only string, gateOnly, record bool) error {
	groups, file := peerGroups, "RESULTS.md"
	if scale {
		groups, file = scaleGroups, "SCALE.md"
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("building the benchmarks: %w\n%s", err, out)
	}
	switch {
	case record:
		return recordLimits(binary)
	case gateOnly:
		return gate(binary)
	}
	var all []measured
	for _, g := range groups {
		if only != "" && g.bench != only {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", g.bench)
		m, err := g.measure(binary, rounds)
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	var doc bytes.Buffer
	write(&doc, scale, all)
	if only != "" {
		_, err := os.Stdout.Write(doc.Bytes())
		return err
	}
	return os.WriteFile(file, doc.Bytes(), 0o644)
}
