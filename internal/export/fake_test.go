package export

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is a Sender that writes a span as "name\n" and remembers the batches it took.
type backend struct {
	max    int                                             // 0: a MiB
	answer func(ctx context.Context, names []string) error // nil: takes all
	encode func(dst []byte, s *model.Span) []byte          // nil: name and newline

	mu      sync.Mutex
	batches [][]string
	closed  int
}

func (b *backend) AppendSpan(dst []byte, s *model.Span) []byte {
	if b.encode != nil {
		return b.encode(dst, s)
	}
	return append(append(dst, s.Name...), '\n')
}

func (b *backend) MaxBytes() int {
	if b.max > 0 {
		return b.max
	}
	return 1 << 20
}

func (b *backend) Send(ctx context.Context, batch Batch) error {
	names := make([]string, len(batch.Spans))
	for i, s := range batch.Spans {
		names[i] = strings.TrimSuffix(string(s), "\n")
	}
	if b.answer != nil {
		if err := b.answer(ctx, names); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches = append(b.batches, names)
	return nil
}

func (b *backend) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
}

// took returns the names of all spans taken, in order.
func (b *backend) took() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, batch := range b.batches {
		names = append(names, batch...)
	}
	return names
}

func (b *backend) sizes() (sizes []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, batch := range b.batches {
		sizes = append(sizes, len(batch))
	}
	return sizes
}

// start runs a pipeline before b and shuts it down with the test.
func start(t testing.TB, b *backend, q Queue, change ...func(*Factory, *Env)) *Pipeline {
	t.Helper()
	f := Factory{Name: "fake", Endpoint: "nowhere", Open: func(Env) (Sender, error) { return b, nil }}
	env := Env{Process: &model.Process{Service: "test"}}
	for _, c := range change {
		c(&f, &env)
	}
	p, err := Start(f, q, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Shutdown(ctx)
	})
	return p
}

// numbered enqueues n spans named "0", "1" and so on from first, and returns the names.
func numbered(p *Pipeline, first, n int) (names []string) {
	for i := first; i < first+n; i++ {
		names = append(names, fmt.Sprint(i))
		p.Enqueue(&model.Span{Name: fmt.Sprint(i)})
	}
	return names
}

// sum fails the test unless every span has exactly one fate.
func sum(t testing.TB, s Stats) {
	t.Helper()
	if got := s.Queued + s.InFlight + s.Delivered + s.Dropped.Total(); got != s.Reported {
		t.Errorf("reported %d, but queued + in flight + delivered + dropped = %d: %+v", s.Reported, got, s)
	}
}
