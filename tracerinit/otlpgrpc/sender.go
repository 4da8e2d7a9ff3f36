package otlpgrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

const (
	method     = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	replyBytes = 1 << 20
)

// sender is one exporter's wire. All but AppendSpan and MaxBytes are called by one goroutine.
type sender struct {
	target   target
	remote   export.Remote
	md       metadata.MD
	tokens   *export.Tokens // nil: none
	process  *model.Process
	logger   *slog.Logger
	tls      *tls.Config
	tlsFiles *export.TLSFiles // nil: tls
	zip      zip
	cc       *grpc.ClientConn
	reached  bool // the last call had a connection
	stale    bool // the next batch goes over a new connection
	dial     func(target, credentials.TransportCredentials) (*grpc.ClientConn, error)
}

// zip is whether messages are compressed, and how the backend takes it.
type zip struct {
	on    bool
	auto  bool // it is on by default
	taken bool // the backend took a compressed message
}

func (*sender) AppendSpan(dst []byte, s *model.Span) []byte { return otlp.AppendSpan(dst, s) }

func (s *sender) MaxBytes() int { return export.MessageBytes - otlp.Overhead(s.process) }

func (s *sender) Close() { s.cc.Close() }

// connect replaces the connection. If that fails, the one before stays.
func (s *sender) connect() error {
	creds := insecure.NewCredentials()
	if s.target.secure {
		config := s.tls
		if s.tlsFiles != nil {
			config = s.tlsFiles.Config()
		}
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		creds = credentials.NewTLS(config.Clone())
	}
	cc, err := s.dial(s.target, creds)
	if err != nil {
		return err
	}
	if s.cc != nil {
		s.cc.Close()
	}
	s.cc, s.stale = cc, false
	return nil
}

// Send exports one batch. If compression that is on by default is refused, the batch goes once more as it is. After
// Unauthenticated, a token source is called for another token, once.
func (s *sender) Send(ctx context.Context, b export.Batch) error {
	s.stale = s.tlsFiles != nil && s.tlsFiles.Renew(s.logger) || s.stale
	if s.stale {
		if err := s.connect(); err != nil {
			return s.remote.NoAnswer(err, "")
		}
	}
	zipped := s.zip.on
	err := s.authorized(ctx, b, zipped)
	if s.zip.auto && zipped && !s.zip.taken && status.Code(err) == codes.Unimplemented {
		if plain := s.authorized(ctx, b, false); taken(plain) {
			s.zip.on = false
			return plain
		}
	}
	if taken(err) {
		s.zip.taken = s.zip.taken || zipped
		return err
	}
	result := s.verdict(err, zipped)
	s.stale = s.mayBeStale(ctx, err)
	return result
}

// taken reports whether the backend took the batch, or most of it.
func taken(err error) bool { return err == nil || errors.As(err, new(*export.RejectedError)) }

func (s *sender) authorized(ctx context.Context, b export.Batch, zipped bool) error {
	err := s.export(ctx, b, zipped)
	if s.tokens != nil && status.Code(err) == codes.Unauthenticated {
		err = s.export(ctx, b, zipped)
	}
	return err
}

// export calls the backend once.
func (s *sender) export(ctx context.Context, b export.Batch, zipped bool) error {
	s.reached = false
	md := s.md.Copy()
	if s.tokens != nil {
		token, err := s.tokens.Token(ctx)
		if err != nil {
			return s.remote.NoAnswer(err, "")
		}
		s.remote.Redactor.AddRecent(token)
		md.Set("authorization", "Bearer "+token)
	}
	options := []grpc.CallOption{grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(replyBytes)}
	if zipped {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	var instance peer.Peer
	var reply reply
	ctx = metadata.NewOutgoingContext(ctx, md)
	err := s.cc.Invoke(ctx, method, &request{s.process, b.Spans}, &reply, append(options, grpc.Peer(&instance))...)
	s.reached = instance.Addr != nil
	if err != nil {
		return err
	}
	rejected, why, err := otlp.PartialSuccess(reply.body)
	if err != nil {
		return nil // OK says that the spans were taken
	}
	return s.remote.Rejected(rejected, why)
}

// mayBeStale reports whether a new connection may do better: after a busy instance, and after one that gave no answer
// in time, which may be dead and which grpc would use until the kernel gives it up. Calls without a connection wait for
// the one that grpc makes. The state of the client says less, since grpc uses a new connection before that is Ready.
func (s *sender) mayBeStale(ctx context.Context, err error) bool {
	if !s.reached {
		return false
	}
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.ResourceExhausted || ctx.Err() == context.DeadlineExceeded
}

// verdict distinguishes failures that may pass, which are of type [export.RetryError], from final ones, as
// https://opentelemetry.io/docs/specs/otlp/#failures lists them.
func (s *sender) verdict(err error, zipped bool) error {
	var retry *export.RetryError
	if errors.As(err, &retry) {
		return retry
	}
	st := status.Convert(err)
	refused := s.remote.Refused(st.Code().String(), st.Message(), s.hint(st, zipped))
	if export.SaysTooLarge(st.Message()) { // ResourceExhausted also is an exhausted quota, and a proxy has other codes
		return &export.TooLargeError{Err: refused}
	}
	info := retryInfo(st)
	switch code := st.Code(); {
	case code == codes.Canceled, code == codes.DeadlineExceeded, code == codes.Aborted, code == codes.OutOfRange,
		code == codes.Unavailable, code == codes.DataLoss, code == codes.ResourceExhausted && info != nil, isCutOff(st):
	default:
		return refused
	}
	var after time.Duration
	if info != nil {
		after = max(info.GetRetryDelay().AsDuration(), 0)
	}
	return &export.RetryError{Err: refused, After: after, Others: info == nil}
}

// isCutOff reports whether the call ended without an answer. The code is then grpc's own, mostly Internal, for which a
// receiver's batch would be refused.
func isCutOff(st *status.Status) bool {
	return strings.HasPrefix(st.Message(), "stream terminated by RST_STREAM") ||
		strings.HasPrefix(st.Message(), "server closed the stream without sending trailers")
}

func retryInfo(st *status.Status) (info *errdetails.RetryInfo) {
	for _, detail := range st.Details() {
		if d, ok := detail.(*errdetails.RetryInfo); ok {
			info = d
		}
	}
	return info
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
