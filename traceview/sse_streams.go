package traceview

import (
	"context"
	"net/http"
	"sync"
)

// streams are the live connections of browsers.
type streams struct {
	mu      sync.Mutex
	cancels map[*http.Request]context.CancelFunc
	servers map[*http.Server]bool
}

// begin registers a stream. It ends with the request, [View.Close], or [http.Server.Shutdown], which would otherwise
// wait for it in vain.
func (s *streams) begin(r *http.Request) (context.Context, context.CancelFunc, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cancels) >= maxStreams {
		return nil, nil, false
	}
	if s.cancels == nil {
		s.cancels = map[*http.Request]context.CancelFunc{}
		s.servers = map[*http.Server]bool{}
	}
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && !s.servers[srv] {
		s.servers[srv] = true
		srv.RegisterOnShutdown(s.endAll)
	}
	ctx, cancel := context.WithCancel(r.Context())
	s.cancels[r] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cancels, r)
	}, true
}

func (s *streams) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.cancels {
		cancel()
	}
}
