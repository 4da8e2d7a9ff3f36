package prommw_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestTheDashboardAsksForMetricsThatExist, with labels that they have.
func TestTheDashboardAsksForMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	tracer, _ := start(t, tracerinit.Always(), false)
	descs := make(chan *prometheus.Desc, 100)
	prommw.New(prommw.Config{}).Describe(descs)
	prommw.NewStatsCollector(tracer).Describe(descs)
	close(descs)
	known := make(map[string]bool)
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	for d := range descs {
		known[name.FindStringSubmatch(d.String())[1]] = true
	}
	metric := regexp.MustCompile(`\b(?:http|rpc|spanloom|prommw)_\w+?(?:_seconds|_total|_requests|_calls)\b|` +
		`\b(?:http|rpc)_\w+_seconds`)
	suffix := regexp.MustCompile(`_(?:bucket|count)$`)
	for _, p := range board.Panels {
		t.Run(p.Title, func(t *testing.T) {
			for _, target := range p.Targets {
				names := metric.FindAllString(target.Expr, -1)
				if len(names) == 0 {
					t.Errorf("no metric in %s", target.Expr)
				}
				for _, n := range names {
					if n = suffix.ReplaceAllString(n, ""); !known[n] {
						t.Errorf("%s is unknown", n)
					}
				}
			}
		})
	}
}
