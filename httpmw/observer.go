package httpmw

import (
	"net/http"

	"github.com/opentracing/opentracing-go"
)

// Observer is notified of the start and the end of every request: of those that [WithFilter] leaves out, of those that
// are not sampled, and of those that a disabled or missing tracer does not trace. Its methods are called by many
// goroutines at a time. A panic in one is recovered and counted on the span, if there is one. See [WithObserver].
type Observer interface {
	// Started is called on a server before the handler, on a client before the base transport. The method of r is the
	// one that [Outcome] has in the end, but for its spelling.
	Started(r *http.Request)

	// Ended is called when the span ends, or would end if there were one: on a server after the handler, on a client
	// after the response's body. Span is nil if the request has none. It may set o.IsError. It must not keep o, which
	// is used again for the next hook.
	Ended(r *http.Request, span opentracing.Span, o *Outcome)
}
