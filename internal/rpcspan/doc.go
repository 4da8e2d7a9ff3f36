// Package rpcspan is the span of one request: what httpmw and grpcmw share, so that both behave alike.
//
// A middleware embeds a Span in its per-request state, asks Remote for the caller's context, calls Start, puts the
// span into the request's context, and when the request ends asks Ending. The one caller that Ending answers with
// true sets the last tags and calls Finish. Nothing touches the span after that.
//
// A Span that was not started is valid: all its methods do nothing, so that an untraced request takes the same path.
package rpcspan
