// Command scenarios runs this module's tests and prints one line for each scenario: what it is, whether it holds, and
// how long it took. What a failing one said follows its line. Arguments go to `go test`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type report struct {
	said    map[string]*strings.Builder // by package and test
	parents map[string]bool             // tests that have subtests
	counts  map[string]int
}

func main() {
	start := time.Now()
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1"}, append(os.Args[1:], "./...")...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scenarios:", err)
		os.Exit(1)
	}
	r := report{said: map[string]*strings.Builder{}, parents: map[string]bool{}, counts: map[string]int{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		r.take(e)
	}
	err = cmd.Wait()
	fmt.Printf("%d scenarios hold, %d fail, %d skipped, in %v\n",
		r.counts["pass"], r.counts["fail"], r.counts["skip"], time.Since(start).Round(time.Second))
	if err != nil {
		os.Exit(1)
	}
}

func (r *report) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			r.parents[e.Package+" "+e.Test[:i]] = true
		}
	case "output", "build-output":
		if r.said[key] == nil {
			r.said[key] = new(strings.Builder)
		}
		r.said[key].WriteString(e.Output)
	case "pass", "skip", "fail", "build-fail":
		r.end(key, e)
	}
}

// end prints the result of a scenario, which is a test without subtests. Of packages and of tests with subtests it
// prints failures only.
func (r *report) end(key string, e event) {
	leaf := e.Test != "" && !r.parents[key]
	if leaf {
		r.counts[e.Action]++
	}
	if !leaf && (e.Action == "pass" || e.Action == "skip") {
		return
	}
	area := e.Package[strings.LastIndexByte(e.Package, '/')+1:]
	name := strings.ReplaceAll(strings.TrimPrefix(e.Test, "Test"), "_", " ")
	fmt.Printf("%-5s %-11s %s (%.1fs)\n", e.Action, area, name, e.Elapsed)
	if said := r.said[key]; said != nil && e.Action != "pass" {
		fmt.Print(said)
	}
}
