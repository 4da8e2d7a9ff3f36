package grpcmw

import (
	"context"
	"reflect"
	"unsafe"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// rawMD is the metadata of a request as gRPC keeps it in a context, which nobody may write to: a map, and pairs that were
// added to it.
type rawMD struct {
	md    metadata.MD
	added [][]string
}

// outgoing is what is learned once of how gRPC keeps outgoing metadata, so that a call can add to it without the copies and
// contexts that metadata.AppendToOutgoingContext makes. Where gRPC keeps something else, box is nil and all goes through
// its own functions.
var outgoing = learnOutgoing()

type outgoingLayout struct {
	key any
	box any // holds a rawMD of gRPC's
}

func learnOutgoing() (l outgoingLayout) {
	l.key = rpcspan.ContextKeyOf(func(ctx context.Context) { metadata.FromOutgoingContext(ctx) })
	if l.key == nil {
		return l
	}
	box := metadata.AppendToOutgoingContext(context.Background(), "k", "v").Value(l.key)
	if box != nil && alike(reflect.TypeOf(box), reflect.TypeFor[rawMD]()) {
		l.box = box
	}
	return l
}

// alike reports whether two structs have the same names and types of fields.
func alike(a, b reflect.Type) bool {
	if a.Kind() != reflect.Struct || a.NumField() != b.NumField() {
		return false
	}
	for i := range a.NumField() {
		if f, g := a.Field(i), b.Field(i); f.Name != g.Name || f.Type != g.Type {
			return false
		}
	}
	return true
}

// boxed returns what a context answers with that sends r, without allocating: r in an interface of gRPC's type.
func (r *rawMD) boxed() any {
	box := outgoing.box
	(*[2]unsafe.Pointer)(unsafe.Pointer(&box))[1] = unsafe.Pointer(r)
	return box
}

// sentWith returns the metadata that ctx sends, or nil.
func sentWith(ctx context.Context) *rawMD {
	if outgoing.box == nil {
		if md, ok := metadata.FromOutgoingContext(ctx); ok {
			return &rawMD{md: md}
		}
		return nil
	}
	box := ctx.Value(outgoing.key)
	if reflect.TypeOf(box) != reflect.TypeOf(outgoing.box) {
		return nil
	}
	return (*rawMD)((*[2]unsafe.Pointer)(unsafe.Pointer(&box))[1])
}

// has reports whether a key is one that is.
func (r *rawMD) has(is func(key string) bool) bool {
	if r == nil {
		return false
	}
	for key := range r.md {
		if is(key) {
			return true
		}
	}
	for _, kv := range r.added {
		for i := 0; i < len(kv); i += 2 {
			if is(kv[i]) {
				return true
			}
		}
	}
	return false
}
