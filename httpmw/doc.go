// Package httpmw traces net/http and chi: a middleware makes one server span of each request, a transport one
// client span of each round trip.
//
//	r := chi.NewRouter()
//	r.Use(httpmw.Middleware(tracer))
//	client := httpmw.Client(tracer, nil)
//
// Both are invisible: bytes, headers, flushes, optional interfaces, errors and panics are those of a program without
// them. Spans are named "GET /users/{id}", after the route and never the path, and end exactly once. Only the
// request's context connects the two: give it to the requests you send, and their spans become children. All tags are
// listed in https://github.com/spanloom/spanloom/blob/main/docs/tags.md, and the options, beside those of grpcmw, in
// options.md.
//
// # Where the route is known
//
// Samplers decide by an operation's name when the span starts, so the route is looked up before the handler runs,
// where the router can be seen:
//
//	chi: Use on the root or a mounted router, With, Group     early, behind middlewares that rewrite the path, too
//	around a *chi.Mux or http.ServeMux, Middleware(t)(mux)    early; also of a *chi.Mux registered on the mux
//	around a handler on a ServeMux, mux.Handle(p, mw(h))      early, by the request's Pattern
//	around a ServeMux mounted on chi                          early
//	outside, with other middlewares in between                early with WithRoutes or WithMux
//	gorilla/mux, gin, echo and any other router               when the router calls SetRoute
//
// Inside chi, a route that is only known after middlewares further in have rewritten the path or the method, or that
// lies behind a wildcard, is read from chi's own context when the handler has returned, and the name is corrected. From
// outside such a route is not known: the middleware puts nothing into a router and changes nothing of how it routes.
// Use the middleware inside the router, or [SetRoute]. What no route matches is named by its method alone, methods that
// are not known are all named HTTP, and a name that the handler sets itself stays.
//
// # How a request ends
//
// A client has hung up if the context of its request is canceled without another cause, or if a write fails because the
// connection is gone. Then the request is aborted, whatever its status is, and no error. Give a BaseContext that is
// canceled at shutdown a cause, see [context.WithCancelCause]: without one it looks like a hang-up. So does a client of
// HTTP/1.1 that closes its half of the connection and still reads, and one whose body comes after the read deadline:
// net/http cancels the context then, too.
//
// Header tags of the response are those that were sent; headers that the handler sets later are ignored, as net/http
// ignores them.
//
// # What to know
//
// The handler gets a copy of the request, and what it changes on the copy is handed back when it returns. A timeout
// middleware of your own, which answers while the handler still runs, must give that handler another copy, as
// [http.TimeoutHandler] and r.WithContext do; otherwise both read and write one request. Below Use on a chi router even
// that leaves a race where no route was found before the handler ran: chi's own context is shared. A template that ends
// in a wildcard, such as /api/*, does not count as found, since it may lead to a router that was not seen.
//
// Answers of such middlewares have the statuses 408, 503 and 504. After these the middleware reads chi's context only
// if an endpoint has been found by then, and the request's Pattern and path values only if an [http.ServeMux] or a chi
// router in its own goroutine has led to the answer; else the span keeps the route that was known before, and the two
// are not handed back. After 408, which hardly any handler answers itself, nothing else that the handler changed is
// handed back but its multipart form, which net/http reads in any case.
//
// The handler's writer has the optional interfaces of the server's writer that net/http defines. Private interfaces of
// other servers, such as those of WebTransport, are reached through its Unwrap method; for an extended CONNECT the
// handler gets the server's writer itself, and the span has no status. What a handler writes to an unwrapped writer is
// not seen. What an [http.ResponseController] hijacks or flushes behind a writer that lacks the method is seen, unless
// that writer has a set of other methods which no common wrapper has.
//
// Secrets that are known by their name or form are masked in all texts that a span quotes, such as URLs, errors and
// panics: docs/tags.md has the rules.
//
// Frameworks that answer errors after their middlewares have returned, such as echo, are wrapped as a whole:
// Middleware(t)(e), not e.Use.
//
// A handler that limits its body with [http.MaxBytesReader] cannot report through any wrapped writer that the limit was
// hit; put [http.MaxBytesHandler] around this middleware if the connection must close then. A client's body
// that is neither closed nor read to its end, under a context that never ends, keeps its span open for ever, as it
// keeps its connection. [http.Client] words the errors of its Timeout differently, from one time to the next, over any
// transport that is not net/http's own; errors.Is and Timeout return the same.
//
// # Finding out more
//
// Redirects count as resends. A request that the caller or a retrying client sends again is a new request, unless its
// context comes from [ContextWithResends]: then its attempts are counted and linked. [WithUnclosedBody] names the
// caller who drops a response without closing its body. [WithConnectionEvents] logs the events of each request's
// connection. [WithObserver] sees every request, traced or not, for metrics. When a server flushes, or a client gets a
// response of unknown length, http.first_byte_ms is how long its header took.
//
// # Coming from other instrumentation
//
// docs/migrating.md has the tables for nethttp, otelhttp and otelchi.
package httpmw
