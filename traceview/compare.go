package traceview

import (
	"cmp"
	"slices"
	"time"
)

// traceDiff is two traces as one tree of paths. A path is the chain of services and operations that leads to a span,
// so that spans of both traces meet in it whatever their ids are.
type traceDiff struct {
	sides [2]snapshot
	took  [2]time.Duration
	rows  []*pathNode // in the order of a waterfall
	counts
}

// counts are how many paths of each kind there are.
type counts struct{ isNew, gone, slower, faster, failing int }

// pathNode is a path and what of it each trace has.
type pathNode struct {
	pathKey
	parent   *pathNode
	children []*pathNode
	depth    int
	start    time.Duration // of its first span, from the start of the trace
	sides    [2]pathSide
	change   pathChange
	failing  bool // one trace has more failed spans than the other
}

type pathKey struct{ service, name string }

// pathSide is what one trace has of a path.
type pathSide struct {
	spans, failed int
	total, self   time.Duration // of all spans together; self is time that no child covers
	slowest       *node
}

type pathChange string

const (
	pathNew    pathChange = "new"
	pathGone   pathChange = "gone"
	pathSlower pathChange = "slower"
	pathFaster pathChange = "faster"
)

// compare puts trace b beside trace a.
func compare(a, b snapshot) *traceDiff {
	c := &traceDiff{sides: [2]snapshot{a, b}}
	top := &pathNode{depth: -1}
	byKey := map[*pathNode]map[pathKey]*pathNode{}
	for side, snap := range c.sides {
		paths, roots := map[*node]*pathNode{nil: top}, snap.tree()
		c.took[side] = snap.duration()
		walk(roots, func(n *node) bool {
			parent := paths[n.parent]
			key := pathKey{n.process.Service, n.Name}
			if byKey[parent] == nil {
				byKey[parent] = map[pathKey]*pathNode{}
			}
			p := byKey[parent][key]
			if p == nil {
				p = &pathNode{pathKey: key, parent: parent, depth: parent.depth + 1, start: n.start().Sub(snap.start)}
				byKey[parent][key] = p
				parent.children = append(parent.children, p)
			}
			paths[n] = p
			p.sides[side].add(n)
			return true
		})
	}
	c.list(top)
	return c
}

func (s *pathSide) add(n *node) {
	s.spans++
	if n.failed {
		s.failed++
	}
	s.total += n.Duration
	s.self += n.self()
	if s.slowest == nil || n.Duration > s.slowest.Duration {
		s.slowest = n
	}
}

// list sets the rows: each path before those below it, and siblings by their start.
func (c *traceDiff) list(top *pathNode) {
	stack := []*pathNode{top}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p != top {
			c.setChange(p)
			c.rows = append(c.rows, p)
		}
		slices.SortStableFunc(p.children, func(a, b *pathNode) int { return cmp.Compare(a.start, b.start) })
		for _, child := range slices.Backward(p.children) {
			stack = append(stack, child)
		}
	}
}

// setChange records how a path differs. Times differ if it is by a tenth of what the path took, and by a hundredth of
// the longer trace: less is noise.
func (c *traceDiff) setChange(p *pathNode) {
	a, b := &p.sides[0], &p.sides[1]
	noise := max(a.total/10, c.longer()/100)
	switch {
	case a.spans == 0:
		p.change = pathNew
		c.isNew++
	case b.spans == 0:
		p.change = pathGone
		c.gone++
	case b.total-a.total > noise:
		p.change = pathSlower
		c.slower++
	case a.total-b.total > noise:
		p.change = pathFaster
		c.faster++
	}
	if a.failed != b.failed {
		p.failing = true
		c.failing++
	}
}

func (c *traceDiff) longer() time.Duration {
	return max(c.took[0], c.took[1])
}

// causes are the paths whose own time differs most, without what is below them: where to look first. Each makes up for
// at least a twentieth of the longer trace.
func (c *traceDiff) causes(most int) []*pathNode {
	least := max(c.longer()/20, 1)
	var out []*pathNode
	for _, p := range c.rows {
		if p.ownDelta().Abs() >= least {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b *pathNode) int { return cmp.Compare(b.ownDelta().Abs(), a.ownDelta().Abs()) })
	return out[:min(len(out), most)]
}

func (p *pathNode) ownDelta() time.Duration { return p.sides[1].self - p.sides[0].self }

func (p *pathNode) delta() time.Duration { return p.sides[1].total - p.sides[0].total }

// only keeps the rows that a test wants, and those that lead to them.
func only(rows []*pathNode, wanted func(*pathNode) bool) (out []*pathNode) {
	keep := map[*pathNode]bool{}
	for _, p := range rows {
		if wanted(p) {
			for a := p; a != nil && !keep[a]; a = a.parent {
				keep[a] = true
			}
		}
	}
	for _, p := range rows {
		if keep[p] {
			out = append(out, p)
		}
	}
	return out
}
