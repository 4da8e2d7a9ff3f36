package tracerinit

import (
	"context"
	"sync"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/fromjaeger"
)

// converter copies the spans that hold values with methods, such as errors, in a goroutine of its own: a method that is
// called where a span ends could wait for a lock that the caller of Finish holds. It does so at once, whatever the
// backends do, so that such values are not kept for long.
type converter struct {
	fan    *fanout
	loader fromjaeger.Loader
	block  bool // wait when the queue is full
	size   int  // of the queue

	start sync.Once
	queue chan conversion // nil until there is such a span
	ready chan struct{}   // closed when queue is set
	stop  chan struct{}
}

// conversion is a span and the exporters that wait for it, or a mark.
type conversion struct {
	span   *jaeger.Span
	to     []*export.Pipeline
	passed chan struct{} // not nil: closed when everything before is converted
}

func (c *converter) init(f *fanout, l fromjaeger.Loader, q export.Queue) {
	c.fan, c.loader, c.block, c.size = f, l, q.Overflow == export.Block, q.Size
	c.ready, c.stop = make(chan struct{}), make(chan struct{})
}

// submit counts a span as queued and hands it to the goroutine.
func (c *converter) submit(span *jaeger.Span) {
	c.start.Do(func() {
		c.queue = make(chan conversion, c.size)
		close(c.ready)
		go c.run()
	})
	item := conversion{span: span}
	for _, p := range c.fan.pipelines {
		if p.Reserve() {
			item.to = append(item.to, p)
		}
	}
	if len(item.to) == 0 {
		return
	}
	span.Retain()
	select {
	case c.queue <- item:
		return
	default:
	}
	if c.block {
		select {
		case c.queue <- item:
			return
		case <-c.stop:
		}
	}
	span.Release()
	for _, p := range item.to {
		p.Discard()
	}
}

func (c *converter) run() {
	for {
		select {
		case item := <-c.queue:
			c.convert(item)
		case <-c.stop:
			return
		}
	}
}

func (c *converter) convert(item conversion) {
	if item.passed != nil {
		close(item.passed)
		return
	}
	c.loader.Load(item.span)
	item.span.Release()
	c.fan.limited.add(&c.loader.Span)
	for _, p := range item.to {
		p.Fulfill(&c.loader.Span)
	}
	c.loader.Reset()
}

// flush returns when every span submitted before is converted, or when ctx ends.
func (c *converter) flush(ctx context.Context) {
	select {
	case <-c.ready:
	default:
		return
	}
	passed := make(chan struct{})
	select {
	case c.queue <- conversion{passed: passed}:
	case <-c.stop:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-passed:
	case <-c.stop:
	case <-ctx.Done():
	}
}

// close ends the goroutine. Nothing is submitted any more, since no exporter takes spans.
func (c *converter) close() { close(c.stop) }
