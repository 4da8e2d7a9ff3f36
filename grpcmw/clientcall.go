package grpcmw

import (
	"context"
	"reflect"
	"runtime"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// clientCall is a call that this process makes. As a call option of its own RPC it marks that the RPC is traced.
//
// A stream ends by grpc.OnFinish if it comes straight from gRPC. Otherwise something below may open several streams
// for the one call, or none of gRPC's, and the stream ends by its own last error, by the context, by the connection,
// or, abandoned under a context that never ends, when it is collected.
type clientCall struct {
	call
	grpc.EmptyCallOption
	opts    [4]grpc.CallOption // saves an allocation
	remote  peer.Peer          // written by gRPC
	alone   bool               // nothing is between this call and gRPC
	answers bool               // the server streams

	mu        sync.Mutex
	followed  bool // the stream exists
	direct    bool // and comes straight from gRPC
	finishes  int
	last      error // of the stream of gRPC's that finished last
	busy      int   // receives under way
	cancelled bool  // while busy
	release   func() bool
}

// isCalled reports whether an interceptor of ours is at work on this very RPC. An RPC to another method, such as one
// that fetches a token, is another one even if it is made with the same options.
func isCalled(opts []grpc.CallOption, fullMethod string) bool {
	for _, o := range opts {
		if c, ok := o.(*clientCall); ok && c.method.full == fullMethod {
			return true
		}
	}
	return false
}

// mark returns opts with the call itself.
func (c *clientCall) mark(opts []grpc.CallOption) []grpc.CallOption {
	return append(append(c.opts[:0], opts...), c)
}

const grpcPath = "google.golang.org/grpc"

// isOfGRPC reports whether an invoker or streamer is gRPC's own and not an interceptor.
func isOfGRPC(f any) bool {
	switch runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() {
	case grpcPath + ".invoke", grpcPath + ".newClientStream":
		return true
	}
	return false
}

// isStreamOfGRPC reports whether a stream is gRPC's own and not a wrapper.
func isStreamOfGRPC(cs grpc.ClientStream) bool {
	t := reflect.TypeOf(cs)
	return t.Kind() == reflect.Pointer && t.Elem().PkgPath() == grpcPath
}

// follow returns the stream for the caller and sees to it that the span ends with it.
func (c *clientCall) follow(cs grpc.ClientStream) grpc.ClientStream {
	s := &countedClientStream{ClientStream: cs, call: c}
	c.mu.Lock()
	c.followed = true
	c.direct = c.alone || c.finishes == 0 && isStreamOfGRPC(cs)
	direct, over, last := c.direct, c.finishes > 0, c.last
	c.mu.Unlock()
	switch {
	case over && (direct || last == grpc.ErrClientConnClosing):
		c.conclude(last)
	case !direct:
		c.release = context.AfterFunc(c.base, c.abort)
		runtime.AddCleanup(s, (*clientCall).abandon, c)
	}
	return s
}

// finished is told by gRPC that a stream finished. After grpc.Peer among the options, the peer is known.
func (c *clientCall) finished(err error) {
	c.mu.Lock()
	c.finishes++
	c.last = err
	over := c.followed && (c.direct || err == grpc.ErrClientConnClosing)
	if c.alone {
		c.seen.Store(&c.remote)
	}
	c.mu.Unlock()
	if over {
		c.conclude(err)
	}
}

// ended is told by the stream that it ended.
func (c *clientCall) ended(err error) {
	if c.release != nil {
		c.release()
	}
	c.conclude(err)
}

// receiving counts receives under way: while there is one, it knows better how the stream ends than the context.
func (c *clientCall) receiving(n int) {
	if c.release == nil {
		return
	}
	c.mu.Lock()
	c.busy += n
	over := c.busy == 0 && c.cancelled
	c.mu.Unlock()
	if over {
		c.conclude(contextError(c.base))
	}
}

func (c *clientCall) abort() {
	c.mu.Lock()
	c.cancelled = true
	busy := c.busy > 0
	c.mu.Unlock()
	if !busy {
		c.conclude(contextError(c.base))
	}
}

// conclude ends the span of a stream. If only one answer was to come and all went well, it came.
func (c *clientCall) conclude(err error) {
	if err == nil && !c.answers {
		c.received.Store(1)
	}
	c.end(err, nil)
}

func contextError(ctx context.Context) error {
	return status.FromContextError(ctx.Err()).Err()
}

var errAbandoned = status.Error(codes.Canceled, "stream abandoned")

// abandon ends a call whose stream nobody holds any more.
func (c *clientCall) abandon() {
	c.mu.Lock()
	err := errAbandoned
	if c.finishes > 0 {
		err = c.last
	}
	c.mu.Unlock()
	c.conclude(err)
}
