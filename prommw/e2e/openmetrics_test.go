package e2e

import (
	"errors"
	"io"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// sample is one sample of a scrape.
type sample struct {
	labels   labels.Labels // with the name as __name__
	value    float64
	exemplar *exemplar.Exemplar
}

// parse reads a scrape with the parser of Prometheus. Of a native histogram it returns the count.
func parse(t testing.TB, text []byte, contentType string) (all []sample) {
	t.Helper()
	parser, err := textparse.New(text, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var s sample
		switch entry {
		case textparse.EntrySeries:
			_, _, s.value = parser.Series()
			parser.Labels(&s.labels)
		case textparse.EntryHistogram: // a native one, in protobuf
			_, _, h, _ := parser.Histogram()
			parser.Labels(&s.labels)
			b := labels.NewBuilder(s.labels)
			s.labels = b.Set(model.MetricNameLabel, s.labels.Get(model.MetricNameLabel)+"_count").Labels()
			s.value = float64(h.Count)
		default:
			continue
		}
		if e := new(exemplar.Exemplar); parser.Exemplar(e) {
			s.exemplar = e
		}
		all = append(all, s)
	}
}

const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// exemplarOf returns the trace id of the newest exemplar of the samples that have the name and the label.
func exemplarOf(t testing.TB, text []byte, name, label, value string) (id string) {
	t.Helper()
	var newest int64
	for _, s := range parse(t, text, openMetrics) {
		if s.labels.Get(model.MetricNameLabel) == name && s.labels.Get(label) == value && s.exemplar != nil && s.exemplar.Ts >= newest {
			newest, id = s.exemplar.Ts, s.exemplar.Labels.Get("trace_id")
		}
	}
	if len(id) != 32 {
		t.Fatalf("no exemplar with a trace id of %s{%s=%q} in\n%s", name, label, value, text)
	}
	return id
}
