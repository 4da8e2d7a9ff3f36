package httpmw

import (
	"net/http"
	"strings"
)

// otherMethod stands for all methods that the kit does not know, since callers can make up any number of them.
const otherMethod = "_OTHER"

// methodTag returns the method as a tag, and whether it is a known one.
func methodTag(method string) (tag any, known bool) {
	switch method {
	case http.MethodGet, "":
		return http.MethodGet, true
	case http.MethodPost:
		return http.MethodPost, true
	case http.MethodPut:
		return http.MethodPut, true
	case http.MethodPatch:
		return http.MethodPatch, true
	case http.MethodDelete:
		return http.MethodDelete, true
	case http.MethodHead:
		return http.MethodHead, true
	case http.MethodOptions:
		return http.MethodOptions, true
	case http.MethodConnect:
		return http.MethodConnect, true
	case http.MethodTrace:
		return http.MethodTrace, true
	case "QUERY":
		return "QUERY", true
	}
	return otherMethod, false
}

// foldedMethod returns the method as a label of which there is a bounded number.
func foldedMethod(method string) string {
	tag, _ := methodTag(method)
	return tag.(string)
}

// nameMethod returns the method as it stands in operation names.
func nameMethod(method string) string {
	tag, known := methodTag(method)
	if !known {
		return "HTTP"
	}
	return tag.(string)
}

// spanName is an operation name and what it is made of.
type spanName struct{ method, route, name string }

// name returns "METHOD route", or the method alone if there is no route.
func (c *valueCache) name(method, route string) string {
	if route == "" {
		return method
	}
	slot := &c.names[(c.index(route)+uint64(len(method)))%uint64(len(c.names))]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.route == route && have.method == method {
			return have.name
		}
	}
	name := method + " " + route
	slot.put(&spanName{method, strings.Clone(route), name})
	return name
}

// nameOf returns the operation name of a request on a server.
func (s *serverState) nameOf(r *http.Request, route string) string {
	if s.config.name != nil {
		if name := s.nameByHook(r, route); name != "" {
			return name
		}
	}
	return s.values.name(nameMethod(r.Method), route)
}

func (s *serverState) nameByHook(r *http.Request, route string) (name string) {
	defer s.span.RecoverHook()
	return s.config.name(r, route)
}

// findName sets the template, which [ContextWithRoute] may have set, and the operation name of a request on a client.
func (s *clientState) findName() {
	s.template, _ = s.parent.Value(routeKey{}).(string)
	s.operation = s.nameOf(s.original)
}

func (s *clientState) nameOf(r *http.Request) string {
	if s.name != nil {
		if name := s.nameByHook(r); name != "" {
			return name
		}
	}
	return s.values.name(nameMethod(r.Method), s.template)
}

func (s *clientState) nameByHook(r *http.Request) (name string) {
	defer s.span.RecoverHook()
	return s.name(r, s.template)
}
