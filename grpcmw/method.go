package grpcmw

import (
	"maps"
	"strings"
	"sync/atomic"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/internal/model"
)

// UnknownMethod is the operation name of an RPC that only a grpc.UnknownServiceHandler answers, and of one with a name
// of over 1 KiB, which a proxy passes on. The method's name is the caller's invention then, and as an operation name it
// would have no bound.
const UnknownMethod = "grpc.unknown_method"

// rpcKind tells the four kinds of RPC and the two sides apart.
type rpcKind uint8

const (
	unary rpcKind = iota
	clientStream
	serverStream
	bidi
	clientSide rpcKind = 1 << 7
)

func kindOf(sendsMany, receivesMany bool) rpcKind {
	switch {
	case sendsMany && receivesMany:
		return bidi
	case sendsMany:
		return clientStream
	case receivesMany:
		return serverStream
	}
	return unary
}

func (k rpcKind) client() bool    { return k&clientSide != 0 }
func (k rpcKind) rpc() rpcKind    { return k &^ clientSide }
func (k rpcKind) streaming() bool { return k.rpc() != unary }

// meta is what a selector is asked with.
func (k rpcKind) meta(m *method, req any) interceptors.CallMeta {
	types := [...]interceptors.GRPCType{interceptors.Unary, interceptors.ClientStream, interceptors.ServerStream, interceptors.BidiStream}
	return interceptors.CallMeta{ReqOrNil: req, Typ: types[k.rpc()], Service: m.serviceName, Method: m.methodName, IsClient: k.client()}
}

// method is what is worked out once of a full method name.
type method struct {
	full        string // as gRPC gives it
	serviceName string
	methodName  string
	known       bool // false: the caller's invention
	probe       bool

	service, name, path, original any // boxed tags

	rpc  rpcKind
	tags []opentracing.Tag // that all its RPCs have
}

const (
	maxMethod = 256     // bytes to record of a name that a caller made up
	maxName   = 1 << 10 // bytes; a longer one is no program's own, but what a proxy was called with
)

func newMethod(full string) *method {
	m := &method{full: full, known: true}
	path := strings.TrimPrefix(full, "/")
	m.serviceName, m.methodName = "unknown", "unknown"
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		m.serviceName, m.methodName = path[:i], path[i+1:]
	}
	m.probe = isProbe(m.serviceName)
	m.service, m.name, m.path = m.serviceName, m.methodName, path
	return m
}

// unknownMethod is methodOf for a name that a remote caller made up.
func (c *config) unknownMethod(full string, rpc rpcKind) *method {
	m := newMethod(full)
	m.known = false
	m.service, m.name, m.path = nil, "_OTHER", "_OTHER"
	m.original = model.Cut(strings.TrimPrefix(full, "/"), maxMethod)
	m.tags = c.methodTags(m, rpc)
	return m
}

// methods keeps the methods of one interceptor. Reading takes no lock and allocates nothing.
type methods struct {
	known atomic.Pointer[map[string]*method]
}

// maxMethods bounds the cache: a proxy's client may call methods without end.
const maxMethods = 512

func (c *config) methodOf(full string, rpc rpcKind) *method {
	ms := &c.methods
	known := ms.known.Load()
	if known != nil {
		if m, ok := (*known)[full]; ok && m.rpc == rpc {
			return m
		}
	}
	if len(full) > maxName {
		return c.unknownMethod(full, rpc)
	}
	m := newMethod(full)
	m.rpc, m.tags = rpc, c.methodTags(m, rpc)
	if known == nil {
		ms.known.CompareAndSwap(nil, &map[string]*method{full: m})
		return m
	}
	if len(*known) < maxMethods {
		more := maps.Clone(*known)
		more[full] = m
		ms.known.CompareAndSwap(known, &more)
	}
	return m
}

// serving is methodOf for a streaming server. gRPC hands the unknown-service handler no service and says that both
// sides stream.
func (c *config) serving(srv any, info *grpc.StreamServerInfo, rpc rpcKind) *method {
	if srv == nil && rpc == bidi {
		return c.unknownMethod(info.FullMethod, rpc)
	}
	return c.methodOf(info.FullMethod, rpc)
}
