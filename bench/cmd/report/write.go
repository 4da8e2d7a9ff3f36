package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// instruments are not peers: nothing is to be won against them.
var instruments = map[string]bool{"bare": true, "floor": true}

func write(w io.Writer, scale bool, all []measured) {
	title := "Results"
	if scale {
		title = "Scale"
	}
	fmt.Fprintf(w, "# %s\n\n%s, %s, %d cores, %s/%s, %s. What the figures mean: [README](README.md).\n",
		title, processor(), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		time.Now().Format("2006-01-02"))
	fmt.Fprintf(w, "\n%s\n", versions())
	if !scale {
		writeBudgets(w, all)
	}
	for i := range all {
		m := &all[i]
		fmt.Fprintf(w, "\n## %s\n", m.title)
		for _, c := range m.cases {
			if c != "" {
				fmt.Fprintf(w, "\n### %s\n", c)
			}
			fmt.Fprintln(w)
			m.writeCase(w, c, !scale)
		}
	}
}

var units = []string{
	"cpu-ns/op", "ns/op", "B/op", "allocs/op", "req/s", "p99-µs", "delivered/s", "lost-%", "cpu-ns/span", "peak-MiB",
	"heap-B/request", "heap-B/stream", "goroutines/stream", "heap-growth-KiB", "goroutine-growth",
}

// writeCase writes a table; between peers, with ratios and the best in bold.
func (m *measured) writeCase(w io.Writer, c string, peers bool) {
	var shown []string
	for _, u := range units {
		for _, p := range m.peers[c] {
			if v, ok := m.median(c, p, u); ok && (u != "ns/op" || v != 0) {
				shown = append(shown, u)
				break
			}
		}
	}
	best, rival := "", ""
	if peers {
		best, rival = m.fastest(c)
	}
	head := append([]string{""}, shown...)
	if rival != "" {
		head = append(head, "× bare", "net × floor", "net × "+rival)
	}
	row(w, head)
	row(w, strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, p := range m.peers[c] {
		cells := []string{p}
		for _, u := range shown {
			cells = append(cells, cell(m.median(c, p, u)))
		}
		if rival != "" {
			cells = append(cells, ratio(m.toBare(c, p)), ratio(m.netRatio(c, p, "floor")), ratio(m.netRatio(c, p, rival)))
		}
		if peers && p == best {
			for i := range cells {
				cells[i] = "**" + cells[i] + "**"
			}
		}
		row(w, cells)
	}
}

// fastest names the cheapest of all, and the cheapest of those that are not spanloom.
func (m *measured) fastest(c string) (best, rival string) {
	var bestTime, rivalTime float64
	for _, p := range m.peers[c] {
		t, ok := m.medianCost(c, p)
		if !ok || instruments[p] {
			continue
		}
		if best == "" || t < bestTime {
			best, bestTime = p, t
		}
		if !strings.HasPrefix(p, "spanloom") && (rival == "" || t < rivalTime) {
			rival, rivalTime = p, t
		}
	}
	return best, rival
}

func row(w io.Writer, cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func cell(v float64, ok bool) string {
	switch {
	case !ok:
		return "–"
	case v == float64(int64(v)) || v > 100 || v < -100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

func ratio(v float64, ok bool) string {
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}

// versions lists the peers as this module pins them.
func versions() string {
	mod, _ := os.ReadFile("go.mod")
	var list []string
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) == 2 && strings.Contains(f[0], "/") && strings.HasPrefix(f[1], "v") {
			list = append(list, "`"+f[0]+" "+f[1]+"`")
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok && len(list) == 0 {
		return info.Main.Path
	}
	return strings.Join(list, ", ") + "."
}
