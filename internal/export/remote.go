package export

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

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

// Unreachable returns the error that no answer came. It has the redacted text of err, but does not wrap err, and ends
// in hint, which says what to do about it, unless that is empty.
func (r *Remote) Unreachable(err error, hint string) error {
	return errors.New(fmt.Sprintf("%s: no answer from %s: %s", r.Name, r.Host, r.quote(err.Error())) + inBrackets(hint))
}

// NoAnswer is Unreachable for an error that may pass.
func (r *Remote) NoAnswer(err error, hint string) *RetryError {
	return &RetryError{Err: r.Unreachable(err, hint)}
}

// Refused returns the error that the backend answered with a status, with its reason and a hint unless they are empty.
func (r *Remote) Refused(status, why, hint string) error {
	text := fmt.Sprintf("%s: %s from %s", r.Name, status, r.Host)
	if why = r.quote(why); why != "" {
		text += ": " + why
	}
	return errors.New(text + inBrackets(hint))
}

// Rejected returns the [*RejectedError] for a partial success, and nil if the backend has nothing to say.
func (r *Remote) Rejected(count int64, why string) error {
	if count <= 0 && why == "" {
		return nil
	}
	text := fmt.Sprintf("%s: %s rejected %d spans: %s", r.Name, r.Host, count, r.quote(why))
	if count <= 0 {
		text = fmt.Sprintf("%s: %s took the spans with a warning: %s", r.Name, r.Host, r.quote(why))
	}
	return &RejectedError{Count: int(min(count, 1<<31-1)), Err: errors.New(text)}
}

func inBrackets(hint string) string {
	if hint == "" {
		return ""
	}
	return " (" + hint + ")"
}

// quote returns the words of others as one line of bounded length without secrets.
func (r *Remote) quote(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return ' '
		}
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	return model.Cut(r.Redactor.Text(s), reasonBytes)
}
