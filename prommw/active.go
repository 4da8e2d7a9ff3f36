package prommw

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// active are the gauges of what has not ended, one for each method, up to a limit. A method that has no gauge when a
// request starts has none when it ends: those that are there stay, and there is no room for more. So every request is
// added to and taken from the same gauge.
type active struct {
	vec   *prometheus.GaugeVec
	label func(method string) string
	max   int

	known atomic.Pointer[map[string]prometheus.Gauge] // read without a lock
	mu    sync.Mutex
	over  prometheus.Gauge // nil until it is needed
}

func newActive(vec *prometheus.GaugeVec, label func(string) string, limit int) *active {
	a := &active{vec: vec, label: label, max: limit}
	a.known.Store(new(map[string]prometheus.Gauge))
	return a
}

// of returns the gauge of a method.
func (a *active) of(method string) prometheus.Gauge {
	if g := (*a.known.Load())[method]; g != nil {
		return g
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known := *a.known.Load()
	if g := known[method]; g != nil {
		return g
	}
	if len(known) >= a.max {
		if a.over == nil {
			a.over = a.vec.WithLabelValues(other)
		}
		return a.over
	}
	g := a.vec.WithLabelValues(a.label(method))
	known = maps.Clone(known)
	if known == nil {
		known = make(map[string]prometheus.Gauge)
	}
	known[method] = g
	a.known.Store(&known)
	return g
}

// knownMethod returns the method of a request as [httpmw.Outcome] has it when the request ends.
func knownMethod(method string) string {
	switch method {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace, "QUERY":
		return method
	}
	return other
}
