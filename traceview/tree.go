package traceview

import (
	"cmp"
	"slices"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// node is a span in its place in the trace.
type node struct {
	*span
	parent   *node
	children []*node
	depth    int
	below    int // spans under it
	failedIn int // failed spans under it
	orphan   bool
	skew     string
	shift    time.Duration // by how much the clock of the span is moved: see align
	critical []section
}

// section is a stretch of time, from the start of the trace.
type section struct{ from, to time.Duration }

// start and end are times of the span with its clock aligned.
func (n *node) start() time.Time { return n.Start.Add(n.shift) }
func (n *node) end() time.Time   { return n.start().Add(n.Duration) }

// tree arranges the spans of a trace. Whatever they claim, each appears once: spans without a known parent and
// circles become roots. Roots and children are in the order of their start, with clocks aligned.
func (s *snapshot) tree() []*node {
	nodes := make([]*node, len(s.list))
	byID := make(map[uint64]*node, len(s.list))
	for i, sp := range s.list {
		nodes[i] = &node{span: sp}
		if first := byID[sp.SpanID]; first == nil || first.kind == "client" && sp.kind == "server" {
			byID[sp.SpanID] = nodes[i]
		}
	}
	slices.SortStableFunc(nodes, func(a, b *node) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.Duration, a.Duration))
	})
	shared := sharedIDs(nodes, byID)
	for _, n := range nodes {
		n.parent = byID[n.ParentID]
		if client := shared[n]; client != nil {
			n.parent = client
		}
		if n.parent == n || n.ParentID == 0 && shared[n] == nil {
			n.parent = nil
		}
	}
	breakCircles(nodes)
	var roots []*node
	for _, n := range nodes {
		if n.parent == nil {
			n.orphan = n.ParentID != 0
			roots = append(roots, n)
		} else {
			n.parent.children = append(n.parent.children, n)
		}
	}
	for _, r := range roots {
		annotate(r)
	}
	alignClocks(roots)
	return roots
}

// sharedIDs finds server spans that carry their client's span id, as Zipkin's do.
func sharedIDs(nodes []*node, byID map[uint64]*node) map[*node]*node {
	var shared map[*node]*node
	for _, n := range nodes {
		if server := byID[n.SpanID]; server != n && n.kind == "client" && server.kind == "server" {
			if shared == nil {
				shared = map[*node]*node{}
			}
			shared[server] = n
		}
	}
	return shared
}

// breakCircles cuts parent links that lead back to where they start.
func breakCircles(nodes []*node) {
	path := make(map[*node]int, len(nodes))
	for i, n := range nodes {
		p := n
		for p != nil && path[p] == 0 {
			path[p] = i + 1
			p = p.parent
		}
		if p != nil && path[p] == i+1 {
			p.parent = nil
		}
	}
}

// followsFrom reports whether nobody waited for the span.
func (n *node) followsFrom() bool {
	return slices.ContainsFunc(n.Refs, func(r model.Ref) bool {
		return r.Type == model.FollowsFrom && r.SpanID == n.ParentID && r.TraceID == n.TraceID
	})
}

// annotate fills in what depends on the place of each node, without recursion: a trace may be 20,000 deep.
func annotate(root *node) {
	order := []*node{root}
	for i := 0; i < len(order); i++ {
		n := order[i]
		n.skew = skewOf(n)
		for _, c := range n.children {
			c.depth = n.depth + 1
			order = append(order, c)
		}
	}
	for _, n := range slices.Backward(order) {
		if n.parent != nil {
			n.parent.below += n.below + 1
			n.parent.failedIn += n.failedIn
			if n.failed {
				n.parent.failedIn++
			}
		}
	}
}

// skewOf says where two clocks disagree: a child cannot start before its parent did, and one that took less time
// than the parent that waited for it should end within it.
func skewOf(n *node) string {
	p := n.parent
	if p == nil || n.sharesClock() {
		return ""
	}
	const rounding = 2 * time.Microsecond
	if d := p.Start.Sub(n.Start); d > rounding {
		return "starts " + showDuration(d) + " before its parent: the clocks disagree"
	}
	answered := p.kind == "client" && n.kind == "server"
	late := n.Start.Add(n.Duration).Sub(p.Start.Add(p.Duration))
	if answered && n.Duration <= p.Duration && late > rounding {
		return "ends " + showDuration(late) + " after the call that waited for it: the clocks disagree"
	}
	return ""
}

// sharesClock reports whether a span and its parent were timed by one clock: programs can set the start of a span to
// any time. The server of a call within a service can be another instance, although the two describe themselves alike.
func (n *node) sharesClock() bool {
	return n.process == n.parent.process && (n.parent.kind != "client" || n.kind != "server")
}

// walk visits the nodes as the page lists them; skip below a node by returning false.
func walk(roots []*node, visit func(*node) bool) {
	stack := slices.Clone(roots)
	slices.Reverse(stack)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if visit(n) {
			for _, c := range slices.Backward(n.children) {
				stack = append(stack, c)
			}
		}
	}
}

// markCritical marks what the duration of the root consists of: going back from its end, always the child that
// ended last, and the span itself where no child was running.
func markCritical(root *node, zero time.Time) {
	type visit struct {
		n     *node
		until time.Time
	}
	stack := []visit{{root, root.end()}}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		at := v.until
		byEnd := slices.Clone(v.n.children)
		slices.SortFunc(byEnd, func(a, b *node) int { return b.end().Compare(a.end()) })
		for _, c := range byEnd {
			end := c.end()
			if end.After(v.until) {
				end = v.until
			}
			if end.After(at) || !c.start().Before(end) || c.start().Before(v.n.start()) || c.followsFrom() {
				continue
			}
			v.n.mark(end, at, zero)
			stack = append(stack, visit{c, end})
			at = c.start()
		}
		v.n.mark(v.n.start(), at, zero)
	}
}

func (n *node) mark(from, to, zero time.Time) {
	if to.After(from) {
		n.critical = append(n.critical, section{from.Sub(zero), to.Sub(zero)})
	}
}

// self is the part of the span's time that no child covers.
func (n *node) self() time.Duration {
	covered, at := time.Duration(0), n.start()
	for _, c := range n.children { // in the order of their start
		from, to := c.start(), c.end()
		if from.Before(at) {
			from = at
		}
		if to.After(n.end()) {
			to = n.end()
		}
		if to.After(from) {
			covered += to.Sub(from)
			at = to
		}
	}
	return n.Duration - covered
}
