package grpcmw

import (
	"context"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
)

// TestBothWaysToReadMetadata holds the shortcut to what gRPC's own functions say.
func TestBothWaysToReadMetadata(t *testing.T) {
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("K", "a", "k", "b", "other", "c"))
	md, _ := metadata.FromIncomingContext(ctx)
	for name, c := range map[string]any{"shortcut": incomingCarrier(ctx), "offered": carrier.Multi(md)} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]int{}
			reader := c.(interface {
				ForeachKey(func(k, v string) error) error
			})
			if err := reader.ForeachKey(func(k, v string) error { seen[k+v]++; return nil }); err != nil {
				t.Error(err)
			}
			if len(seen) != 3 || seen["ka"] != 1 || seen["kb"] != 1 || seen["otherc"] != 1 {
				t.Errorf("%s: %v", name, seen)
			}
		})
	}
	if _, ok := incomingMD(ctx); !ok {
		t.Error("the shortcut is lost: gRPC keeps its metadata elsewhere now")
	}
	if c := incomingCarrier(context.Background()).(carrier.Multi); len(c) != 0 {
		t.Errorf("metadata out of nothing: %v", c)
	}
}
