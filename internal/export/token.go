package export

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spanloom/spanloom/internal/header"
)

// TokenSource returns the token for one request.
type TokenSource func(context.Context) (string, error)

// Tokens calls a [TokenSource], one call at a time, and bounds what a call can do: it may return an error, panic or
// hang. Its methods are for one goroutine.
type Tokens struct {
	source  TokenSource
	pending chan tokenResult // of a call that has not returned yet
}

type tokenResult struct {
	token string
	err   error
}

// NewTokens returns nil if source is nil.
func NewTokens(source TokenSource) *Tokens {
	if source == nil {
		return nil
	}
	return &Tokens{source: source}
}

// Token returns a token. It waits until ctx ends at the latest; a call that hangs is not repeated but waited for again.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	if t.pending == nil {
		t.pending = make(chan tokenResult, 1)
		go call(ctx, t.source, t.pending)
	}
	select {
	case r := <-t.pending:
		t.pending = nil
		return r.check()
	case <-ctx.Done():
		return "", errors.New("the token source has not returned in time")
	}
}

func call(ctx context.Context, source TokenSource, to chan<- tokenResult) {
	r := tokenResult{err: errors.New("the token source panicked, or ended its goroutine")}
	defer func() {
		_ = recover()
		to <- r
	}()
	token, err := source(ctx)
	r = tokenResult{strings.TrimSpace(token), err} // files mostly end in a newline
}

func (r tokenResult) check() (string, error) {
	switch {
	case r.err != nil:
		return "", fmt.Errorf("the token source failed: %w", r.err)
	case r.token == "":
		return "", errors.New("the token source returned an empty token")
	case !header.IsValue(r.token):
		return "", errors.New("the token source returned a token that no header can carry")
	}
	return r.token, nil
}
