package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/spanloom/spanloom/prommw"
)

// exported returns the labels of each series name that a scrape can have.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	prommw.New(prommw.Config{}).Describe(descs)
	prommw.NewStatsCollector(nil).Describe(descs)
	close(descs)
	known := map[string][]string{}
	text := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`)
	for d := range descs {
		m := text.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("cannot read %s", d)
		}
		names := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
		known[m[1]] = names
		if strings.HasSuffix(m[1], "_duration_seconds") {
			known[m[1]+"_count"], known[m[1]+"_sum"] = names, names
			known[m[1]+"_bucket"] = append([]string{"le"}, names...)
		}
	}
	return known
}

type target struct{ Expr, LegendFormat string }

func dashboard(t *testing.T) map[string][]target {
	t.Helper()
	text, err := os.ReadFile("../dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []target
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	panels := map[string][]target{}
	for _, p := range board.Panels {
		panels[p.Title] = append(panels[p.Title], p.Targets...)
	}
	return panels
}

// TestTheDashboardsQueriesAreRight: PromQL, of metrics that are exported, by labels that these have.
func TestTheDashboardsQueriesAreRight(t *testing.T) {
	known := exported(t)
	grafana := strings.NewReplacer("$__rate_interval", "5m")
	for title, targets := range dashboard(t) {
		t.Run(title, func(t *testing.T) {
			if len(targets) == 0 {
				t.Error("the panel has no query")
			}
			for _, q := range targets {
				expr, err := parser.NewParser(parser.Options{}).ParseExpr(grafana.Replace(q.Expr))
				if err != nil {
					t.Errorf("%s: %v", q.Expr, err)
					continue
				}
				checkExpr(t, expr, known, q)
			}
		})
	}
}

var legend = regexp.MustCompile(`\{\{(\w+)\}\}`)

func checkExpr(t *testing.T, expr parser.Expr, known map[string][]string, q target) {
	t.Helper()
	has := map[string]bool{}
	var used, kept []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			names, ok := known[n.Name]
			if !ok {
				t.Errorf("%s is not exported", n.Name)
			}
			for _, name := range names {
				has[name] = true
			}
			for _, m := range n.LabelMatchers {
				if m.Name != model.MetricNameLabel {
					used = append(used, m.Name)
				}
			}
		case *parser.AggregateExpr:
			used, kept = append(used, n.Grouping...), append(kept, n.Grouping...)
		}
		return nil
	})
	for _, m := range legend.FindAllStringSubmatch(q.LegendFormat, -1) {
		if used = append(used, m[1]); kept != nil && !strings.Contains(" "+strings.Join(kept, " ")+" ", " "+m[1]+" ") {
			t.Errorf("the legend has %s, which %s does not keep", m[1], q.Expr)
		}
	}
	for _, name := range used {
		if !has[name] {
			t.Errorf("no metric of %s has the label %s", q.Expr, name)
		}
	}
}

// TestTheDocumentsNameMetricsThatExist.
func TestTheDocumentsNameMetricsThatExist(t *testing.T) {
	known := exported(t)
	names := regexp.MustCompile(`\b(?:(?:spanloom|prommw)_\w+|(?:http|rpc)_(?:server|client)_\w+)\b`)
	for _, file := range []string{"../doc.go", "../../docs/metrics.md", "../../docs/migrating.md"} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := names.FindAllString(string(text), -1)
			if len(found) == 0 {
				t.Error("no metric is named")
			}
			for _, name := range found {
				if _, ok := known[name]; !ok {
					t.Errorf("%s is not exported", name)
				}
			}
		})
	}
}
