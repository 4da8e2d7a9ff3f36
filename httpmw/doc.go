// Package httpmw traces net/http and chi: a middleware makes one server span of each request, a transport one
// client span of each round trip.
//
//	r := chi.NewRouter()
//	r.Use(httpmw.Middleware(tracer))
//	client := httpmw.Client(tracer, nil)
//
// Both are invisible: bytes, headers, flushes, optional interfaces, errors and panics are those of a program without
// them. Spans are named "GET /users/{id}", after the route and never the path, and end exactly once. Only the
// request's context connects the two: give it to the requests you send, and their spans become children.
//
// # Where the route is known
//
// Samplers decide by an operation's name when the span starts, so the route is looked up before the handler runs,
// where the router can be seen:
//
//	chi: Use on the root or a mounted router, With, Group     early, behind rewriting middlewares too
//	around a chi router or http.ServeMux, Middleware(t)(mux)  early; also a chi router registered on the mux
//	around a handler on a ServeMux, mux.Handle(p, mw(h))      early, by the request's Pattern
//	around a ServeMux mounted on chi                          early
//	outside, with other middlewares in between                early with WithRoutes or WithMux, else the method alone
//	http.StripPrefix between a mux and a router               the mux's pattern
//
// The name is corrected after the handler if the request went elsewhere, as behind a StripSlashes inside the router.
// What no route matches is named by its method alone, methods that are not known are all named HTTP, and a name that
// the handler sets itself stays.
//
// # What to know
//
// A handler that limits its body with http.MaxBytesReader cannot tell net/http through any wrapped writer that the
// limit was hit; put http.MaxBytesHandler around this middleware if the connection must close then. A client's body
// that is neither closed nor read to its end, under a context that never ends, keeps its span open for ever, as it
// keeps its connection. http.Client words the errors of its Timeout differently, from one time to the next, over any
// transport that is not net/http's own; errors.Is and Timeout tell the same.
//
// # Finding out more
//
// Redirects count as resends. A request that the caller or a retrying client sends again is nothing but a new one,
// unless its context is of ContextWithResends: then its attempts are counted and linked. WithUnclosedBody names the
// caller who drops a response without closing its body. WithConnectionEvents shows the connection of each request.
// When a server flushes, or a client gets a response of unknown length, http.first_byte_ms tells how long its header
// took.
//
// # Coming from other instrumentation
//
// docs/migrating.md has the tables for nethttp, otelhttp and otelchi.
package httpmw
