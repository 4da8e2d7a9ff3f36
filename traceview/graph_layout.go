package traceview

import (
	"cmp"
	"slices"
)

// graph is services in columns, callers left of those they call. An edge that skips columns has a virtual node in each
// of them, so that it finds its way between the boxes.
type graph struct {
	nodes   []*graphNode
	columns [][]*graphNode // from top to bottom
	edges   []graphEdge
}

type graphNode struct {
	name     string // "" for a virtual node
	column   int
	left     []*graphNode // neighbours in the column before
	right    []*graphNode // and in the one behind
	place    float64      // in the column, from 0
	y        float64      // of its middle
	height   float64
	distance float64 // wanted between its edge and the next one's
}

// graphEdge is the calls between two services with the nodes that it passes, its ends included. An edge that leads back
// or stays in its column passes none.
type graphEdge struct {
	call  callCount
	nodes []*graphNode
}

// newGraph arranges the services.
func newGraph(services []string, calls []callCount) *graph {
	g := &graph{}
	layer := layers(services, calls)
	byName := map[string]*graphNode{}
	for _, name := range services {
		byName[name] = g.add(name, layer[name])
	}
	for _, call := range calls {
		from, to := byName[call.parent], byName[call.child]
		if from == nil || to == nil {
			continue
		}
		e := graphEdge{call: call}
		if to.column > from.column {
			e.nodes = g.chain(from, to)
		}
		g.edges = append(g.edges, e)
	}
	g.uncross()
	g.setHeights()
	return g
}

func (g *graph) add(name string, column int) *graphNode {
	n := &graphNode{name: name, column: column, height: boxHeight, distance: gapY}
	if name == "" {
		n.height, n.distance = 0, gapY/2
	}
	for len(g.columns) <= column {
		g.columns = append(g.columns, nil)
	}
	g.columns[column] = append(g.columns[column], n)
	g.nodes = append(g.nodes, n)
	return n
}

// chain connects two nodes by virtual ones.
func (g *graph) chain(from, to *graphNode) []*graphNode {
	path := []*graphNode{from}
	for c := from.column + 1; c < to.column; c++ {
		path = append(path, g.add("", c))
	}
	path = append(path, to)
	for i := range path[1:] {
		path[i].right = append(path[i].right, path[i+1])
		path[i+1].left = append(path[i+1].left, path[i])
	}
	return path
}

// uncross orders the nodes of each column by the middle of their neighbours, a few times to the right and back, and
// keeps the order with the fewest crossings.
func (g *graph) uncross() {
	g.seat()
	best, fewest := g.order(), g.crossings()
	const sweeps = 12
	for range sweeps {
		for _, column := range g.columns {
			sortByMiddle(column, func(n *graphNode) []*graphNode { return n.left })
		}
		for _, column := range slices.Backward(g.columns) {
			sortByMiddle(column, func(n *graphNode) []*graphNode { return n.right })
		}
		if crossings := g.crossings(); crossings < fewest {
			best, fewest = g.order(), crossings
		}
	}
	g.columns = best
	g.seat()
}

func (g *graph) order() [][]*graphNode {
	columns := make([][]*graphNode, len(g.columns))
	for i := range columns {
		columns[i] = slices.Clone(g.columns[i])
	}
	return columns
}

func (g *graph) seat() {
	for _, column := range g.columns {
		seat(column)
	}
}

func seat(column []*graphNode) {
	for i, n := range column {
		n.place = float64(i)
	}
}

func sortByMiddle(column []*graphNode, neighbours func(*graphNode) []*graphNode) {
	middle := map[*graphNode]float64{}
	for _, n := range column {
		middle[n] = n.place
		if all := neighbours(n); len(all) > 0 {
			sum := 0.0
			for _, other := range all {
				sum += other.place
			}
			middle[n] = sum / float64(len(all))
		}
	}
	slices.SortStableFunc(column, func(a, b *graphNode) int { return cmp.Compare(middle[a], middle[b]) })
	seat(column)
}

// crossings counts the pairs of edges between neighbouring columns that cross.
func (g *graph) crossings() (count int) {
	for _, column := range g.columns {
		var ends [][2]float64
		for _, n := range column {
			for _, to := range n.right {
				ends = append(ends, [2]float64{n.place, to.place})
			}
		}
		for i := range ends {
			for _, other := range ends[i+1:] {
				if (ends[i][0]-other[0])*(ends[i][1]-other[1]) < 0 {
					count++
				}
			}
		}
	}
	return count
}

// setHeights moves every node as close to its neighbours as its column has room.
func (g *graph) setHeights() {
	for _, column := range g.columns {
		spread(column, func(*graphNode) float64 { return 0 })
	}
	const rounds = 8
	for range rounds {
		for _, column := range g.columns {
			spread(column, middleOfNeighbours)
		}
		for _, column := range slices.Backward(g.columns) {
			spread(column, middleOfNeighbours)
		}
	}
	top := 0.0
	for _, n := range g.nodes {
		top = min(top, n.y-n.height/2)
	}
	for _, n := range g.nodes {
		n.y -= top
	}
}

func middleOfNeighbours(n *graphNode) float64 {
	sum := 0.0
	for _, other := range n.left {
		sum += other.y
	}
	for _, other := range n.right {
		sum += other.y
	}
	if count := len(n.left) + len(n.right); count > 0 {
		return sum / float64(count)
	}
	return n.y
}

// spread places the nodes of a column where they want to be. Nodes that would overlap move apart by as much to either
// side: a block of them stays around the mean of what its nodes want.
func spread(column []*graphNode, wanted func(*graphNode) float64) {
	type block struct {
		nodes       []*graphNode
		top, height float64
		sum         float64 // of where each node wants the top of the block
	}
	var blocks []*block
	for _, n := range column {
		b := &block{nodes: []*graphNode{n}, height: n.height + n.distance, sum: wanted(n) - n.height/2}
		b.top = b.sum
		for len(blocks) > 0 && blocks[len(blocks)-1].top+blocks[len(blocks)-1].height > b.top {
			above := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			above.sum += b.sum - above.height*float64(len(b.nodes))
			above.nodes = append(above.nodes, b.nodes...)
			above.height += b.height
			above.top = above.sum / float64(len(above.nodes))
			b = above
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		y := b.top
		for _, n := range b.nodes {
			n.y = y + n.height/2
			y += n.height + n.distance
		}
	}
}
