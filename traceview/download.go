package traceview

import "net/http"

// downloadJaeger sends a trace as a file that Jaeger's UI opens.
func (v *View) downloadJaeger(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	attach(w, traceHex(snap.id)+".jaeger.json")
	answer(w, r, http.StatusOK, envelope{Data: []jaegerTrace{snap.jaeger()}})
}

func (v *View) downloadOTLP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func attach(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
