package traceview

import (
	"net/http"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

// downloadJaeger sends a trace as a file that Jaeger's UI opens.
func (v *View) downloadJaeger(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	attach(w, traceHex(snap.id)+".jaeger.json")
	answer(w, r, http.StatusOK, envelope{Data: []jaegerTrace{snap.jaeger()}})
}

// downloadOTLP sends a trace as the OTLP JSON that collectors take.
func (v *View) downloadOTLP(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	attach(w, traceHex(snap.id)+".otlp.json")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(otlp.AppendRequestJSON(nil, snap.batches())) // the browser has gone
}

// batches are the spans by process, in the order they came.
func (s *snapshot) batches() []model.Batch {
	var out []model.Batch
	at := map[*process]int{}
	for _, sp := range s.list {
		i, ok := at[sp.process]
		if !ok {
			i = len(out)
			at[sp.process] = i
			out = append(out, model.Batch{Process: sp.process.Process})
		}
		out[i].Spans = append(out[i].Spans, sp.Span)
	}
	return out
}

func attach(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
