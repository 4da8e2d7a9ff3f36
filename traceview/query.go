package traceview

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// envelope is what every answer of Jaeger's query API comes in.
type envelope struct {
	Data   any        `json:"data"`
	Total  int        `json:"total"`
	Limit  int        `json:"limit"`
	Offset int        `json:"offset"`
	Errors []apiError `json:"errors"`
}

type apiError struct {
	Code    int    `json:"code,omitempty"`
	Msg     string `json:"msg"`
	TraceID string `json:"traceID,omitempty"`
}

const (
	apiLimit    = 100
	apiLookback = 48 * time.Hour
	depLookback = 24 * time.Hour
)

func answer(w http.ResponseWriter, r *http.Request, status int, e envelope) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	if pretty, _ := strconv.ParseBool(r.URL.Query().Get("prettyPrint")); pretty {
		enc.SetIndent("", "    ")
	}
	_ = enc.Encode(e) // the client has gone
}

func refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	answer(w, r, status, envelope{Errors: []apiError{{Code: status, Msg: err.Error()}}})
}

func (v *View) apiServices(w http.ResponseWriter, r *http.Request) {
	names := v.store.serviceNames()
	answer(w, r, http.StatusOK, envelope{Data: names, Total: len(names)})
}

func (v *View) apiServiceOperations(w http.ResponseWriter, r *http.Request) {
	names := v.store.operationNames(r.PathValue("service"))
	answer(w, r, http.StatusOK, envelope{Data: names, Total: len(names)})
}

var errNoService = errors.New("parameter 'service' is required")

func (v *View) apiOperations(w http.ResponseWriter, r *http.Request) {
	type operation struct {
		Name     string `json:"name"`
		SpanKind string `json:"spanKind"`
	}
	q := r.URL.Query()
	if q.Get("service") == "" {
		refuse(w, r, http.StatusBadRequest, errNoService)
		return
	}
	found := []operation{}
	for _, key := range v.store.operationKeys(q.Get("service")) {
		if kind := q.Get("spanKind"); kind == "" || kind == key.kind {
			found = append(found, operation{key.name, key.kind})
		}
	}
	answer(w, r, http.StatusOK, envelope{Data: found, Total: len(found)})
}

func (v *View) apiTraces(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if ids := q["traceID"]; len(ids) > 0 {
		v.apiTracesByID(w, r, ids)
		return
	}
	f, limit, err := v.apiFilter(q)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err)
		return
	}
	found, _ := v.store.find(&f, limit)
	data := make([]jaegerTrace, 0, len(found))
	for i := range found {
		data = append(data, found[i].jaeger())
	}
	answer(w, r, http.StatusOK, envelope{Data: data})
}

func (v *View) apiTracesByID(w http.ResponseWriter, r *http.Request, ids []string) {
	data := []jaegerTrace{}
	var missing []apiError
	for _, s := range ids[:min(len(ids), apiLimit)] {
		id, ok := parseTraceID(s)
		if !ok {
			refuse(w, r, http.StatusBadRequest, fmt.Errorf("cannot parse traceID param: %q", s))
			return
		}
		if snap, ok := v.store.get(id); ok {
			data = append(data, snap.jaeger())
		} else {
			missing = append(missing, apiError{Msg: "trace not found", TraceID: jaegerHex(id)})
		}
	}
	answer(w, r, http.StatusOK, envelope{Data: data, Errors: missing})
}

func (v *View) apiTrace(w http.ResponseWriter, r *http.Request) {
	id, ok := parseTraceID(r.PathValue("id"))
	if !ok {
		refuse(w, r, http.StatusBadRequest, fmt.Errorf("%q is not a trace id", r.PathValue("id")))
		return
	}
	snap, ok := v.store.get(id)
	if !ok {
		refuse(w, r, http.StatusNotFound, errors.New("trace not found"))
		return
	}
	answer(w, r, http.StatusOK, envelope{Data: []jaegerTrace{snap.jaeger()}})
}

func (v *View) apiDependencies(w http.ResponseWriter, r *http.Request) {
	type link struct {
		Parent    string `json:"parent"`
		Child     string `json:"child"`
		CallCount int    `json:"callCount"`
	}
	q := r.URL.Query()
	end, err := apiTime(q, "endTs", time.Millisecond, v.now())
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err)
		return
	}
	lookback, err := apiMillis(q, "lookback", depLookback)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err)
		return
	}
	data := []link{}
	for _, e := range v.store.calls(end.Add(-lookback), end) {
		if name := q.Get("service"); name == "" || name == e.parent || name == e.child {
			data = append(data, link{e.parent, e.child, e.count})
		}
	}
	answer(w, r, http.StatusOK, envelope{Data: data, Total: len(data)})
}
