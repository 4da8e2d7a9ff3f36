package traceview

import "slices"

// layers gives each service its column: one more than the furthest of its callers, as far as there are no circles.
func layers(services []string, calls []callCount) map[string]int {
	layer := map[string]int{}
	callers := map[string]int{}
	for _, c := range calls {
		callers[c.child]++
	}
	var queue []string
	seen := map[string]bool{}
	push := func(name string) {
		if !seen[name] {
			seen[name] = true
			queue = append(queue, name)
		}
	}
	for _, name := range services {
		if callers[name] == 0 {
			push(name)
		}
	}
	for range services {
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			for _, c := range calls {
				if c.parent != name || seen[c.child] {
					continue
				}
				layer[c.child] = max(layer[c.child], layer[name]+1)
				if callers[c.child]--; callers[c.child] == 0 {
					push(c.child)
				}
			}
		}
		for _, name := range services { // a circle: enter it somewhere
			if !seen[name] {
				push(name)
				break
			}
		}
	}
	return layer
}

// near returns a service with those that call it, and those that it calls, over as many calls as depth.
func near(calls []callCount, focus string, depth int) map[string]bool {
	found := map[string]bool{focus: true}
	follow := func(ends func(callCount) (from, to string)) {
		edge := []string{focus}
		for range depth {
			var next []string
			for _, c := range calls {
				if from, to := ends(c); slices.Contains(edge, from) && !slices.Contains(next, to) {
					next = append(next, to)
					found[to] = true
				}
			}
			edge = next
		}
	}
	follow(func(c callCount) (from, to string) { return c.parent, c.child })
	follow(func(c callCount) (from, to string) { return c.child, c.parent })
	return found
}
