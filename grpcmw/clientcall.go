package grpcmw

import (
	"context"
	"reflect"
	"runtime"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// clientCall is a call that this process makes. As a call option of its own RPC it marks that the RPC is traced.
//
// A stream ends by grpc.OnFinish if it comes straight from gRPC. Otherwise something below may open several streams
// for the one call, or none of gRPC's, and the stream ends by its own last error, by the context, or by the
// connection. Abandoned without a deadline, either ends when it is collected.
type clientCall struct {
	call
	grpc.EmptyCallOption
	*calledStream                    // nil of a unary RPC
	opts          [2]grpc.CallOption // saves an allocation
	cc            *grpc.ClientConn   // nil for channels that are none of gRPC's
	remote        peer.Peer          // written by gRPC before told
	trailer       metadata.MD        // likewise, if wanted

	sends   rawMD       // with what this call adds; zero if a context has it
	list    [1][]string // sends.added, saves an allocation
	room    [4]string   // for two formats, likewise
	dropped int32       // keys that gRPC could not send
	alone   bool        // nothing is between this call and gRPC
}

// calledStream is what is kept of a call that streams, until its end.
type calledStream struct {
	counts  streaming
	release func() bool

	mu        sync.Mutex
	answers   bool  // the server streams
	followed  bool  // the stream exists
	cancelled bool  // while busy
	over      bool  // a stream of gRPC's finished
	busy      int16 // receives under way
	last      error // of the stream of gRPC's that finished last
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

// options returns opts with the call itself, and those by which gRPC tells what it knows. An interceptor in between may
// make several attempts at a time, which would all write there, so then they are left out.
func (c *clientCall) options(opts []grpc.CallOption) []grpc.CallOption {
	opts = append(append(c.opts[:0], opts...), c)
	if !c.alone {
		return opts
	}
	opts = append(opts, grpc.Peer(&c.remote))
	if c.cfg.trailer != "" {
		opts = append(opts, grpc.Trailer(&c.trailer))
	}
	return opts
}

const grpcPath = "google.golang.org/grpc"

// isOfGRPC reports whether an invoker or streamer is gRPC's own and not an interceptor.
func (c *config) isOfGRPC(f any) bool {
	entry := reflect.ValueOf(f).Pointer()
	switch entry {
	case c.ofGRPC.Load():
		return true
	case c.ofOthers.Load():
		return false
	}
	switch runtime.FuncForPC(entry).Name() {
	case grpcPath + ".invoke", grpcPath + ".newClientStream":
		c.ofGRPC.Store(entry)
		return true
	}
	c.ofOthers.Store(entry)
	return false
}

// follow returns the stream for the caller and sees to it that the span ends with it.
func (c *clientCall) follow(cs grpc.ClientStream) grpc.ClientStream {
	s := &countedClientStream{ClientStream: cs, call: c}
	c.mu.Lock()
	c.followed = true
	over, last := c.over && c.ends(c.last), c.last
	c.mu.Unlock()
	if over {
		c.conclude(last)
		return s
	}
	if !c.alone {
		c.release = context.AfterFunc(c.base, c.abort)
	}
	runtime.AddCleanup(s, (*clientCall).abandon, c)
	return s
}

// finished is told by gRPC that a stream finished. Before version 1.80 gRPC serves the options of the RPC only after that, so
// the peer is known once a method of the stream returns the end.
func (c *clientCall) finished(err error) {
	c.mu.Lock()
	c.over = true
	c.last = err
	over := c.followed && c.busy == 0 && c.ends(err)
	c.mu.Unlock()
	if over {
		c.conclude(err)
	}
}

// ends reports whether the call is over when a stream of gRPC's finishes like this. That the one answer to a call came
// is for its receiver to tell: gRPC takes it for a success, too, if the headers are asked for and there was none.
func (c *clientCall) ends(err error) bool {
	if c.alone {
		return err != nil || c.answers
	}
	//lint:ignore SA1019 its code is also that of a stream which an interceptor gave up for another one
	return err == grpc.ErrClientConnClosing
}

var errUnanswered = status.Error(codes.Internal, "no answer")

// headless is told by the stream that it ended without headers.
func (c *clientCall) headless() {
	c.mu.Lock()
	unanswered := c.alone && c.over && c.last == nil && !c.answers
	c.mu.Unlock()
	if unanswered {
		c.conclude(errUnanswered)
	}
}

// ended is told by the stream that it ended.
func (c *clientCall) ended(err error) {
	if c.release != nil {
		c.release()
	}
	if c.alone {
		c.told.Store(true)
	}
	c.conclude(err)
}

// receiving counts receives under way: while there is one, it knows better how the stream ends than the context.
func (c *clientCall) receiving(n int16) {
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
		c.stream.received.Store(1)
	}
	c.end(err, nil)
}

func contextError(ctx context.Context) error {
	return status.FromContextError(ctx.Err()).Err()
}

var errAbandoned = status.Error(codes.Canceled, "stream abandoned")

// abandon ends a call whose stream nobody holds any more, unless it has a deadline, which ends it.
func (c *clientCall) abandon() {
	c.mu.Lock()
	over, err := c.over, c.last
	c.mu.Unlock()
	if !over {
		if _, ends := c.base.Deadline(); ends {
			return
		}
		err = errAbandoned
	}
	c.ended(err)
}
