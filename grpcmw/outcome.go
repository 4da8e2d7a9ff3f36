package grpcmw

import (
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Outcome is what is known of an RPC when its span ends. A hook may set IsError; what it writes to other fields is
// discarded. It must not be kept by the hook.
type Outcome struct {
	Method        string                // as in [Call]
	OperationName string                // that the kit gives the span, or would give it; a handler may have set another
	Type          interceptors.GRPCType // as in [Call]
	Client        bool                  // as in [Call]
	Code          codes.Code            // one of gRPC's 17; Unknown for any other, and for an error whose status is OK
	Err           error                 // of the handler, the invoker or the stream; nil for success
	ErrorType     string                // panic, goexit, or the code in gRPC's spelling: NOT_FOUND; "" for OK
	Panic         any                   // what the handler or the invoker panicked with
	Sent          int                   // messages
	Received      int                   // messages
	FirstMessage  time.Duration         // from start to the first message of the answer; 0 if there was none, or unary
	Duration      time.Duration         // from start to end of the span
	IsError       bool                  // whether the span is marked as failed
}

// rpcStatus is how an RPC ended.
type rpcStatus struct {
	code     codes.Code
	message  string
	kind     string // of what is no status: panic or goexit
	panicked bool
}

// errorType returns the value of error.type, "" for success.
func (s *rpcStatus) errorType() string {
	switch {
	case s.kind != "":
		return s.kind
	case s.code == codes.OK:
		return ""
	}
	return specName(s.code)
}

// statusOf returns the status that err stands for. Codes that gRPC does not define are Unknown, as its specification
// says, and so is an error whose status is OK: its receiver has got an error, whatever it claims.
func statusOf(err error) (s rpcStatus) {
	if err == nil {
		return rpcStatus{}
	}
	s = statusIn(err)
	if s.code == codes.OK || s.code >= codes.Code(len(specNames)) {
		s.code = codes.Unknown
	}
	if s.message == "" && s.code == codes.Unknown {
		s.message = errorText(err)
	}
	if err == errGoexit {
		s.kind = "goexit"
	}
	return s
}

// statusIn is status.FromError and status.FromContextError for errors whose methods may panic, such as typed nils.
func statusIn(err error) (s rpcStatus) {
	s.code = codes.Unknown
	defer func() { _ = recover() }()
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	return rpcStatus{code: st.Code(), message: st.Message()}
}

func errorText(err error) (text string) {
	defer func() { _ = recover() }()
	return err.Error()
}

// specNames are the codes' names in gRPC's specification.
var specNames = [...]string{
	codes.OK: "OK", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
	codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
	codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
	codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
}

func specName(code codes.Code) string { return specNames[code] }

// outcome collects what the hooks get.
func (c *call) outcome(s *rpcStatus, err error, panicked any, isError bool, at time.Time) Outcome {
	o := Outcome{
		Method: c.method.bounded(), OperationName: c.name, Type: c.rpc.public(), Client: c.cfg.client,
		Code: s.code, Err: err, ErrorType: s.errorType(), Panic: panicked,
		Duration: at.Sub(c.span.StartTime()), IsError: isError,
	}
	o.Sent, o.Received = c.messages(err == nil && panicked == nil)
	if c.stream != nil {
		o.FirstMessage = time.Duration(c.stream.first.Load())
	}
	return o
}
