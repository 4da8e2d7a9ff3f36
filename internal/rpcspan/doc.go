// Package rpcspan is the span of one request, with the rules that httpmw and grpcmw share so that both behave alike.
//
// A middleware embeds a [Span] in its per-request state. It reads the caller's context with [Remote], calls
// [Span.Start], puts the span into the request's context, and when the request ends calls [Span.TryFinish]. Exactly one
// caller gets true; it sets the last tags and calls [Span.Finish]. Nothing touches the span after that.
//
// A Span that was not started is valid, and its methods have no effect, so that untraced requests take the same path.
package rpcspan
