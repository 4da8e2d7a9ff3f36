package tracerinit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/quiet"
)

const (
	maxStrategyBytes = 1 << 20
	strategyTimeout  = 10 * time.Second
	firstRetry       = time.Second
	logInterval      = time.Minute // between two lines about failures
)

// remoteSampler gets from a server how to sample, and keeps to its last good answer.
type remoteSampler struct {
	current atomic.Pointer[jaeger.Sampler]

	clients    []strategyClient // of one server, in the order in which they are tried
	shownURL   string
	options    RemoteOptions
	logger     *slog.Logger
	lastAnswer []byte

	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	stats SamplerStats
}

// strategyClient speaks one protocol to a sampling server. Its errors hold no secret.
type strategyClient interface {
	fetch(context.Context) (answer []byte, err error)
	parse(answer []byte) (*strategyResponse, error)
	close()
}

// errOtherProtocol says that the server does not speak the client's protocol.
var errOtherProtocol = errors.New(
	"this looks like a port for gRPC: import package otlpgrpc, or use the port for HTTP, 5778")

// startRemote starts to fetch strategies. It does not wait for the first answer.
func startRemote(s Sampler, service string, logger *slog.Logger) (*remoteSampler, error) {
	r := &remoteSampler{options: *s.remote, logger: logger, shownURL: s.shownURL(), done: make(chan struct{})}
	clients, err := strategyClients(samplingURL(s.url), service)
	if err != nil {
		return nil, err
	}
	r.clients = clients
	r.set(r.options.Initial.local())
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.poll(ctx)
	return r, nil
}

func (r *remoteSampler) set(s jaeger.Sampler) { r.current.Store(&s) }

// IsSampled decides by the server's last good answer.
func (r *remoteSampler) IsSampled(id jaeger.TraceID, operation string) (bool, []jaeger.Tag) {
	return (*r.current.Load()).IsSampled(id, operation)
}

// Equal implements [jaeger.Sampler].
func (r *remoteSampler) Equal(other jaeger.Sampler) bool { return other == jaeger.Sampler(r) }

// Close ends polling without waiting for an answer.
func (r *remoteSampler) Close() { r.cancel() }

// poll fetches a strategy at once, sooner again until the first good answer, and then at every interval.
func (r *remoteSampler) poll(ctx context.Context) {
	defer close(r.done)
	defer func() {
		for _, c := range r.clients {
			c.close()
		}
	}()
	retry := firstRetry
	var lastLine time.Time
	for {
		err := r.update(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && (lastLine.IsZero() || time.Since(lastLine) >= logInterval) {
			lastLine = time.Now()
			r.logFailure(err)
		}
		wait := r.options.Interval
		if err != nil && r.lastAnswer == nil {
			wait, retry = min(wait, retry), min(wait, 2*retry)
		}
		wait += time.Duration((rand.Float64() - 0.5) / 5 * float64(wait))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (r *remoteSampler) logFailure(err error) {
	defer func() { _ = recover() }() // the logger's handler is the user's
	r.logger.Warn("the sampling strategy cannot be updated", "endpoint", r.shownURL, "error", err)
}

// update fetches one answer, puts it to work if it is good and new, and counts.
func (r *remoteSampler) update(ctx context.Context) error {
	body, err := r.fetch(ctx)
	changed := false
	if err == nil && (r.lastAnswer == nil || !bytes.Equal(body, r.lastAnswer)) {
		var a *strategyResponse
		if a, err = r.clients[0].parse(body); err == nil {
			r.set(a.sampler(*r.current.Load(), r.options.MaxOperations))
			r.lastAnswer, changed = body, true
		}
	}
	if ctx.Err() != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Requests++
	if changed {
		r.stats.Changed++
	}
	if err != nil {
		r.stats.Failed++
		r.stats.LastError = err.Error()
	}
	return err
}

// fetch returns an answer. Where the server does not speak the first client's protocol, it moves on to the next client
// for good.
func (r *remoteSampler) fetch(ctx context.Context) ([]byte, error) {
	for {
		attempt, cancel := context.WithTimeout(quiet.Context(ctx), strategyTimeout)
		body, err := r.clients[0].fetch(attempt)
		cancel()
		if len(r.clients) == 1 || !errors.Is(err, errOtherProtocol) {
			return body, err
		}
		r.clients[0].close()
		r.clients = r.clients[1:]
	}
}

// Stats returns a snapshot.
func (r *remoteSampler) Stats() SamplerStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}
