package grpcmw

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
)

// bothWays runs a test with the way known in which gRPC keeps outgoing metadata, and with it unknown.
func bothWays(t *testing.T, test func(t *testing.T)) {
	if outgoing.box == nil {
		t.Fatal("the shortcut is lost: gRPC keeps its metadata otherwise now")
	}
	t.Run("known", test)
	t.Run("unknown", func(t *testing.T) {
		known := outgoing
		outgoing.box = nil
		defer func() { outgoing = known }()
		test(t)
	})
}

func TestAddedMetadata(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		shared := metadata.MD{"a": {"1", "2"}, "x-bin": {"\x00\xff"}}
		for name, tt := range map[string]struct {
			before context.Context
			want   metadata.MD
		}{
			"nothing":   {t.Context(), metadata.MD{}},
			"empty":     {metadata.NewOutgoingContext(t.Context(), metadata.MD{}), metadata.MD{}},
			"a map":     {metadata.NewOutgoingContext(t.Context(), shared), shared},
			"pairs":     {metadata.AppendToOutgoingContext(t.Context(), "B", "1", "b", "2"), metadata.MD{"b": {"1", "2"}}},
			"map, pair": {metadata.AppendToOutgoingContext(metadata.NewOutgoingContext(t.Context(), shared), "a", "3"), metadata.MD{"a": {"1", "2", "3"}, "x-bin": {"\x00\xff"}}},
		} {
			c := &clientCall{}
			c.client, c.base, c.method = c, tt.before, &method{}
			tt.want = tt.want.Copy()
			tt.want["k"] = []string{"v"}
			ctx := c.add(c.context(), sentWith(tt.before), []string{"k", "v"})
			got, _ := metadata.FromOutgoingContext(ctx)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", name, diff)
			}
			if vs := got["k"]; len(vs) != 1 || vs[0] != "v" {
				t.Errorf("%s: value %q", name, vs)
			}
			below, _ := metadata.FromOutgoingContext(metadata.AppendToOutgoingContext(ctx, "z", "9"))
			again, _ := metadata.FromOutgoingContext(ctx)
			if tt.want["z"] = []string{"9"}; !cmp.Equal(below, tt.want) || !cmp.Equal(again, got) {
				t.Errorf("%s: with one more pair %v, without it %v", name, below, again)
			}
			if old, _ := metadata.FromOutgoingContext(tt.before); old["k"] != nil || shared["k"] != nil {
				t.Errorf("%s: the caller's metadata was changed", name)
			}
		}
	})
}

func TestMetadataWithRoomIsNotShared(t *testing.T) {
	before := &rawMD{added: make([][]string, 1, 4)}
	var calls [2]clientCall
	for i := range calls {
		c := &calls[i]
		c.client, c.base, c.method = c, t.Context(), &method{}
		c.add(c.context(), before, []string{"k", string('a' + rune(i))})
	}
	for i := range calls {
		if got := calls[i].sends.added[1][1]; got != string('a'+rune(i)) {
			t.Errorf("call %d sends %q", i, got)
		}
	}
}

func TestCallsWithoutMetadataAnswerForTheirContext(t *testing.T) {
	c := &clientCall{}
	c.client, c.base, c.method = c, metadata.AppendToOutgoingContext(t.Context(), "a", "1"), &method{}
	if md, _ := metadata.FromOutgoingContext(c.add(c.context(), sentWith(c.base), nil)); len(md) != 1 {
		t.Errorf("metadata %v", md)
	}
}

func TestWhatTheMetadataHas(t *testing.T) {
	is := func(key string) bool { return key == "b" }
	for md, want := range map[*rawMD]bool{
		nil: false, {}: false, {md: metadata.MD{"a": {"b"}}, added: [][]string{nil, {"a", "b"}}}: false,
		{md: metadata.MD{"b": nil}}: true, {added: [][]string{{"a", "1"}, {"a", "b", "b", "1"}}}: true,
	} {
		if md.has(is) != want {
			t.Errorf("%v: %t", md, !want)
		}
	}
}

func TestOtherMetadataIsRefused(t *testing.T) {
	type renamed struct {
		md    metadata.MD
		pairs [][]string
	}
	type retyped struct {
		md    metadata.MD
		added []string
	}
	type longer struct {
		md    metadata.MD
		added [][]string
		more  int
	}
	for _, other := range []any{renamed{nil, nil}, retyped{nil, nil}, longer{nil, nil, 0}, metadata.MD{}} {
		if alike(reflect.TypeOf(other), reflect.TypeFor[rawMD]()) {
			t.Errorf("%T was taken for metadata", other)
		}
	}
}
