package quiet

import (
	"context"
	"testing"
)

func TestTheMarkIsInherited(t *testing.T) {
	type other struct{}
	marked := Context(context.Background())
	child, cancel := context.WithCancel(context.WithValue(marked, other{}, 1))
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"background": {context.Background(), false},
		"unmarked":   {context.WithValue(context.Background(), other{}, 1), false},
		"marked":     {marked, true},
		"derived":    {child, true},
		"detached":   {context.WithoutCancel(child), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Is(c.ctx); got != c.want {
				t.Errorf("Is is %t, want %t", got, c.want)
			}
		})
	}
}

func TestIsAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(Context(context.Background()))
	defer cancel()
	if n := testing.AllocsPerRun(100, func() { Is(ctx) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
