package grpcmw

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// rpcType is one of the four types of RPC.
type rpcType uint8

const (
	unary rpcType = iota
	clientStream
	serverStream
	bidi
)

func typeOf(clientStreams, serverStreams bool) rpcType {
	switch {
	case clientStreams && serverStreams:
		return bidi
	case clientStreams:
		return clientStream
	case serverStreams:
		return serverStream
	}
	return unary
}

// public returns the type as go-grpc-middleware names it.
func (t rpcType) public() interceptors.GRPCType {
	return [...]interceptors.GRPCType{
		unary: interceptors.Unary, clientStream: interceptors.ClientStream,
		serverStream: interceptors.ServerStream, bidi: interceptors.BidiStream,
	}[t]
}

// method is what a full method name is split into, with the tags that all its RPCs have.
type method struct {
	full        string // as gRPC passes it
	serviceName string
	methodName  string
	known       bool // false: a remote caller may have made the name up
	probe       bool // health check or reflection

	service, name, path, original any // boxed values of tags

	rpc    rpcType
	tags   []opentracing.Tag
	shared *rpcspan.SharedTags // with tags; nil if the spans have tags of their own
}

const (
	maxOriginal = 256     // bytes that are recorded of a name that a caller made up
	maxName     = 1 << 10 // bytes; longer names are not a program's own but those that a proxy was called with

	// maxMethods bounds the methods that one interceptor keeps, and on a client the operation names, since a proxy may
	// be called with any number of methods.
	maxMethods = 512
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

// isProbe reports whether a service is called by machines to learn about the server itself: health and reflection.
func isProbe(service string) bool {
	return service == "grpc.health.v1.Health" || strings.HasPrefix(service, "grpc.reflection.")
}

// bounded returns the full method, or [UnknownMethod] if a remote caller may have made it up.
func (m *method) bounded() string {
	if m.known {
		return m.full
	}
	return UnknownMethod
}

// meta is what matchers are called with.
func (c *config) meta(m *method, rpc rpcType, req any) interceptors.CallMeta {
	return interceptors.CallMeta{
		ReqOrNil: req, Typ: rpc.public(), Service: m.serviceName, Method: m.methodName, IsClient: c.client,
	}
}

// methods are the methods that one interceptor has seen. Reading takes no lock and allocates nothing.
type methods struct {
	known atomic.Pointer[map[string]*method]
}

func (ms *methods) load() map[string]*method {
	if known := ms.known.Load(); known != nil {
		return *known
	}
	return nil
}

// add keeps m if there is room, and reports whether its name is among those that are kept.
func (ms *methods) add(m *method) bool {
	for {
		old := ms.known.Load()
		more := make(map[string]*method)
		if old != nil {
			if len(*old) >= maxMethods {
				return (*old)[m.full] != nil
			}
			more = maps.Clone(*old)
		}
		more[m.full] = m
		if ms.known.CompareAndSwap(old, &more) {
			return true
		}
	}
}

// methodOf returns the method of an RPC. A server knows the methods of its registered services however many they are.
// On a client the first maxMethods are taken for the program's own.
func (c *config) methodOf(full string, rpc rpcType) *method {
	known := c.methods.load()
	if m, ok := known[full]; ok && m.rpc == rpc {
		return m
	}
	if full == "" || len(full) > maxName || c.client && len(known) >= maxMethods && known[full] == nil {
		return c.unknownMethod(full, rpc)
	}
	m := newMethod(full)
	m.rpc, m.tags = rpc, c.methodTags(m, rpc)
	if rpc == unary && c.hasCommonTags() {
		m.shared = rpcspan.NewSharedTags(c.startTags, m.tags)
	}
	if !c.methods.add(m) && c.client {
		return c.unknownMethod(full, rpc) // others have taken the last room meanwhile
	}
	return m
}

// unknownMethod is methodOf for a name that a remote caller made up.
func (c *config) unknownMethod(full string, rpc rpcType) *method {
	m := newMethod(full)
	m.known = false
	m.service, m.name, m.path = nil, "_OTHER", "_OTHER"
	if full != "" {
		m.original = model.Cut(strings.TrimPrefix(full, "/"), maxOriginal)
	}
	m.tags = c.methodTags(m, rpc)
	return m
}

// servedMethod is methodOf for a stream on a server. For a method that is not registered gRPC calls the
// unknown-service handler, with a nil service, as if both sides streamed.
func (c *config) servedMethod(srv any, info *grpc.StreamServerInfo, rpc rpcType) *method {
	if srv == nil && rpc == bidi {
		return c.unknownMethod(info.FullMethod, rpc)
	}
	return c.methodOf(info.FullMethod, rpc)
}

// calledMethod is methodOf for a client. A proxy that passes on a call of an unknown method calls an unknown method,
// unless the program has called it by itself before.
func (c *config) calledMethod(ctx context.Context, full string, rpc rpcType) *method {
	if m, ok := c.methods.load()[full]; ok && m.rpc == rpc {
		return m
	}
	if served := callOf(ctx); served != nil && !served.method.known && served.method.full == full {
		return c.unknownMethod(full, rpc)
	}
	return c.methodOf(full, rpc)
}
