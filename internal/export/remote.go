package export

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/spanloom/spanloom/internal/model"
)

// reasonBytes is how much of a backend's own words an error quotes.
const reasonBytes = 200

// Remote makes the errors about a backend, so that all read alike and none holds a secret.
type Remote struct {
	Name     string // "otlp/http"
	Host     string
	Redactor Redactor
}

// Unreachable says that no answer came; nothing of err but its redacted text can be reached through the result.
func (r *Remote) Unreachable(err error) error {
	return fmt.Errorf("%s: no answer from %s: %s", r.Name, r.Host, r.quote(err.Error()))
}

// NoAnswer is Unreachable for an error that may pass.
func (r *Remote) NoAnswer(err error) *RetryError {
	absent := errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, new(*net.DNSError))
	return &RetryError{Err: r.Unreachable(err), Absent: absent}
}

// Refused says which status the backend answered, and why if it told.
func (r *Remote) Refused(status, why string) error {
	if why != "" {
		why = ": " + r.quote(why)
	}
	return fmt.Errorf("%s: %s from %s%s", r.Name, status, r.Host, why)
}

// Rejected returns the *RejectedError for a partial success, and nil if the backend had nothing to say.
func (r *Remote) Rejected(count int64, why string) error {
	if count <= 0 && why == "" {
		return nil
	}
	text := fmt.Sprintf("%s: %s rejected %d spans: %s", r.Name, r.Host, count, r.quote(why))
	return &RejectedError{Count: int(min(count, 1<<31-1)), Err: errors.New(text)}
}

func (r *Remote) quote(s string) string { return model.Cut(r.Redactor.Text(s), reasonBytes) }
