package tracerinit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/quiet"
)

const (
	maxAnswer     = 1 << 20
	answerTimeout = 10 * time.Second
	firstRetry    = time.Second
	logInterval   = time.Minute // between two lines about failures
)

// remoteSampler asks a server how to sample, and keeps to its last good answer.
type remoteSampler struct {
	current atomic.Pointer[jaeger.Sampler]

	question   *url.URL
	shownURL   string
	redact     export.Redactor
	options    RemoteOptions
	logger     *slog.Logger
	client     http.Client
	lastAnswer []byte

	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	stats SamplerStats
}

// startRemote begins to ask. It does not wait for the first answer.
func startRemote(s Sampler, service string, logger *slog.Logger) (*remoteSampler, error) {
	endpoint, err := export.ParseURL(samplingURL(s.url), samplingPath)
	if err != nil {
		return nil, err
	}
	r := &remoteSampler{
		question: questionURL(endpoint, service), shownURL: export.MaskURL(endpoint, samplingPath), options: *s.remote, logger: logger,
		done: make(chan struct{}),
	}
	r.redact.AddURL(endpoint, samplingPath)
	r.client = http.Client{
		// No connection is kept for the minute between two questions.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r.set(r.options.Initial.local())
	ctx, cancel := context.WithCancel(quiet.Context(context.Background()))
	r.cancel = cancel
	go r.poll(ctx)
	return r, nil
}

// questionURL is endpoint with the service in its query.
func questionURL(endpoint *url.URL, service string) *url.URL {
	u := *endpoint
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "service=" + url.QueryEscape(service)
	return &u
}

func (r *remoteSampler) set(s jaeger.Sampler) { r.current.Store(&s) }

// IsSampled decides as the server last said.
func (r *remoteSampler) IsSampled(id jaeger.TraceID, operation string) (bool, []jaeger.Tag) {
	return (*r.current.Load()).IsSampled(id, operation)
}

// Equal is not used by the engine.
func (r *remoteSampler) Equal(other jaeger.Sampler) bool { return other == jaeger.Sampler(r) }

// Close ends the questions without waiting for an answer.
func (r *remoteSampler) Close() { r.cancel() }

// poll asks at once, sooner again until the first good answer, and then at every interval.
func (r *remoteSampler) poll(ctx context.Context) {
	defer close(r.done)
	retry := firstRetry
	var lastLine time.Time
	for {
		err := r.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && (lastLine.IsZero() || time.Since(lastLine) >= logInterval) {
			lastLine = time.Now()
			r.tell(err)
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

func (r *remoteSampler) tell(err error) {
	defer func() { _ = recover() }() // the logger's handler is the user's
	r.logger.Warn("the sampling strategy cannot be updated", "endpoint", r.shownURL, "error", err)
}

// ask gets one answer, puts it to work if it is good and new, and counts.
func (r *remoteSampler) ask(ctx context.Context) error {
	body, err := r.fetch(ctx)
	changed := false
	if err == nil && !bytes.Equal(body, r.lastAnswer) {
		var a *answer
		if a, err = parseAnswer(body); err == nil {
			r.set(a.sampler(*r.current.Load(), r.options.MaxOperations))
			r.lastAnswer, changed = body, true
		}
	}
	if ctx.Err() != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Asked++
	if changed {
		r.stats.Changed++
	}
	if err != nil {
		r.stats.Failed++
		r.stats.LastError = err.Error()
	}
	return err
}

// fetch returns the body of an answer. Its error holds no secret.
func (r *remoteSampler) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.question.String(), nil)
	if err != nil {
		return nil, r.redacted(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		if inner := new(url.Error); errors.As(err, &inner) { // its text is the whole URL
			err = inner.Err
		}
		return nil, r.redacted(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", r.shownURL, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, r.redacted(err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return body, nil
}

// redacted returns an error with err's text, free of secrets.
func (r *remoteSampler) redacted(err error) error { return errors.New(r.redact.Text(err.Error())) }

// Stats returns a snapshot.
func (r *remoteSampler) Stats() SamplerStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}
