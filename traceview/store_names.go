package traceview

import (
	"cmp"
	"maps"
	"slices"
)

func (s *store) serviceNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for name, svc := range s.services {
		if svc.spans > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// operationKeys returns the operations of a service, of all services if it is "".
func (s *store) operationKeys(service string) []operationKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []operationKey
	for key := range s.operations {
		if service == "" || key.service == service {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b operationKey) int {
	return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
}

func (s *store) operationNames(service string) []string {
	names := []string{}
	for _, key := range s.operationKeys(service) {
		names = append(names, key.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// busiestOperations returns the names of the operations with the most spans, in the order of names.
func (s *store) busiestOperations(service string) []string {
	s.mu.Lock()
	counts := map[string]int{}
	for key, op := range s.operations {
		if service == "" || key.service == service {
			counts[key.name] += op.count
		}
	}
	s.mu.Unlock()
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	names = names[:min(len(names), maxHints)]
	slices.Sort(names)
	return names
}
