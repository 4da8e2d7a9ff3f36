// Package quiet marks the context of whatever the kit itself sends: batches of spans, look-ups of credentials and
// requests for sampling strategies. The middlewares of this module never trace a request or an RPC whose context has
// the mark, even where a program instruments [net/http.Transport] or gRPC itself. Without it each batch would make a
// span, which would make a batch.
package quiet

import "context"

type key struct{}

// Context returns a copy of ctx that has the mark. Contexts derived from the copy have it, too.
func Context(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Is reports whether ctx has the mark. It does not allocate.
func Is(ctx context.Context) bool { return ctx.Value(key{}) != nil }
