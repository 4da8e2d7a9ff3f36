package httpmw

import (
	"net/http"
	"strings"
	"sync"
	"weak"

	"github.com/go-chi/chi/v5"
)

// subrouter is the router that a row of patterns leads to. A nil mux that is known is an endpoint.
type subrouter struct {
	mux   *chi.Mux
	known bool
}

// mountCache remembers where mounts lead, since listing the routes of a router is slow. It holds routers weakly, so
// that one which is replaced at run time can be freed, and a bounded number of them.
type mountCache struct {
	mu      sync.RWMutex
	entries map[mountKey]mountEntry
}

type mountKey struct {
	root  weak.Pointer[chi.Mux]
	route string // patterns in a row, or a template
}

type mountEntry struct {
	mux    weak.Pointer[chi.Mux]
	isMux  bool
	known  bool
	listed bool // for templates: it is that of a mount
}

// maxMounts is more than the routes of one router. A cache that is full is emptied.
const maxMounts = 4096

func (c *mountCache) get(key mountKey, find func() mountEntry) mountEntry {
	c.mu.RLock()
	e, ok := c.entries[key]
	c.mu.RUnlock()
	if ok {
		return e
	}
	e = find()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxMounts {
		c.entries = map[mountKey]mountEntry{}
	}
	c.entries[key] = e
	return e
}

// subrouter descends from the root router along patterns. Routers that are not chi's own are not known.
func (c *mountCache) subrouter(root chi.Routes, patterns []string) subrouter {
	mux, ok := root.(*chi.Mux)
	if !ok {
		return subrouter{}
	}
	key := mountKey{root: weak.Make(mux), route: patterns[0]}
	if len(patterns) > 1 {
		key.route = strings.Join(patterns, "\n")
	}
	e := c.get(key, func() mountEntry {
		sub := findSubrouter(mux, patterns)
		e := mountEntry{known: sub.known, isMux: sub.mux != nil}
		if e.isMux {
			e.mux = weak.Make(sub.mux)
		}
		return e
	})
	if !e.isMux {
		return subrouter{known: e.known}
	}
	return subrouter{mux: e.mux.Value(), known: true}
}

// findSubrouter recovers what the methods of routers that are not chi's own may panic with: some cannot list their
// routes.
func findSubrouter(root *chi.Mux, patterns []string) (sub subrouter) {
	defer func() { _ = recover() }()
	at := root
	for _, pattern := range patterns {
		if at == nil {
			return subrouter{}
		}
		switch next := mounted(at, pattern).(type) {
		case nil:
			at = nil
		case *chi.Mux:
			at = next
		default:
			return subrouter{}
		}
	}
	return subrouter{at, true}
}

// mounted returns the router that is mounted under a pattern, or nil. Mount registers "/x", "/x/" and "/x/*", and lists
// the last.
func mounted(routes chi.Routes, pattern string) chi.Routes {
	for _, route := range routes.Routes() {
		if route.SubRoutes != nil && (route.Pattern == pattern || strings.TrimSuffix(route.Pattern, "*") == pattern ||
			strings.TrimSuffix(route.Pattern, "/*") == pattern) {
			return route.SubRoutes
		}
	}
	return nil
}

// endsAtMount reports whether a template is that of a mount, and not that of an endpoint at the root of the mounted
// router. Both look the same ahead of the routing: chi registers the mount's own path as an endpoint.
func (c *mountCache) endsAtMount(root *chi.Mux, method, template string) bool {
	if root == nil {
		return false
	}
	return c.get(mountKey{weak.Make(root), "template\n" + method + "\n" + template}, func() mountEntry {
		return mountEntry{listed: endsAtMount(root, method, template)}
	}).listed
}

func endsAtMount(routes chi.Routes, method, template string) (ends bool) {
	defer func() { _ = recover() }()
	sub := mountAt(routes, template)
	return sub != nil && !hasRoot(sub, method)
}

// mountAt returns the router that is mounted at a template, at any depth, or nil.
func mountAt(routes chi.Routes, template string) chi.Routes {
	for _, route := range routes.Routes() {
		if route.SubRoutes == nil {
			continue
		}
		prefix := strings.TrimSuffix(route.Pattern, "/*")
		if prefix == template {
			return route.SubRoutes
		}
		rest, below := strings.CutPrefix(template, prefix)
		if below && strings.HasPrefix(rest, "/") {
			if sub := mountAt(route.SubRoutes, rest); sub != nil {
				return sub
			}
		}
	}
	return nil
}

// hasRoot reports whether a router has an endpoint for its own root. chi's GetHead serves HEAD by that of GET.
func hasRoot(routes chi.Routes, method string) bool {
	return routes.Match(chi.NewRouteContext(), method, "/") ||
		method == http.MethodHead && routes.Match(chi.NewRouteContext(), http.MethodGet, "/")
}
