package otlpgrpc

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

const (
	method     = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	replyBytes = 1 << 20
)

type sender struct {
	cc      *grpc.ClientConn
	dial    func() (*grpc.ClientConn, error)
	remote  export.Remote
	md      metadata.MD
	process *model.Process
	options []grpc.CallOption
}

func newSender(cc *grpc.ClientConn, r export.Remote, md metadata.MD, p *model.Process, compress bool) *sender {
	s := &sender{cc: cc, remote: r, md: md, process: p}
	s.options = []grpc.CallOption{grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(replyBytes)}
	if compress {
		s.options = append(s.options, grpc.UseCompressor(gzip.Name))
	}
	return s
}

func (*sender) AppendSpan(dst []byte, s *model.Span) []byte { return otlp.AppendSpan(dst, s) }

func (s *sender) MaxBytes() int { return export.MessageBytes - otlp.Overhead(s.process) }

func (s *sender) Close() { s.cc.Close() }

func (s *sender) Send(ctx context.Context, b export.Batch) error {
	var reply reply
	ctx = metadata.NewOutgoingContext(ctx, s.md.Copy())
	if err := s.cc.Invoke(ctx, method, &request{s.process, b.Spans}, &reply, s.options...); err != nil {
		told := s.judge(err)
		if ctx.Err() == context.DeadlineExceeded && s.cc.GetState() == connectivity.Ready {
			s.reconnect()
		}
		return told
	}
	rejected, why, err := otlp.PartialSuccess(reply.body)
	if err != nil {
		return nil // OK says that the spans were taken
	}
	return s.remote.Rejected(rejected, why)
}

// reconnect leaves a connection that gave no answer in time: it may be dead, and grpc would use it until the kernel
// gives it up.
func (s *sender) reconnect() {
	if cc, err := s.dial(); err == nil {
		s.cc.Close()
		s.cc = cc
	}
}

// judge tells errors that may pass from final ones, as
// https://opentelemetry.io/docs/specs/otlp/#failures lists them.
func (s *sender) judge(err error) error {
	st := status.Convert(err)
	told := s.remote.Refused(st.Code().String(), st.Message())
	var info *errdetails.RetryInfo
	for _, detail := range st.Details() {
		if d, ok := detail.(*errdetails.RetryInfo); ok {
			info = d
		}
	}
	switch st.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
	case codes.ResourceExhausted:
		if info == nil {
			return told
		}
	default:
		return told
	}
	var after time.Duration
	if info != nil {
		after = max(info.GetRetryDelay().AsDuration(), 0)
	}
	absent := st.Code() == codes.Unavailable && s.cc.GetState() == connectivity.TransientFailure
	return &export.RetryError{Err: told, After: after, Absent: absent}
}

// request and reply are the messages that codec knows.
type (
	request struct {
		process *model.Process
		spans   [][]byte
	}
	reply struct{ body []byte }
)

// codec writes the request into a buffer that is grpc's: after a cancelled call, grpc may go on reading it.
type codec struct{}

// Name is part of the content type.
func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	r, ok := v.(*request)
	if !ok {
		return nil, fmt.Errorf("otlpgrpc: cannot write %T", v)
	}
	size := otlp.Overhead(r.process)
	for _, s := range r.spans {
		size += len(s)
	}
	pool := mem.DefaultBufferPool()
	buf := pool.Get(size)
	*buf = otlp.AppendRequest((*buf)[:0], r.process, r.spans)
	return mem.BufferSlice{mem.NewBuffer(buf, pool)}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*reply)
	if !ok {
		return fmt.Errorf("otlpgrpc: cannot read %T", v)
	}
	r.body = data.Materialize()
	return nil
}
