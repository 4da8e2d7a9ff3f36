package tracerinit

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
)

// resolver finds the value of each setting: from code, JAEGER_*, OTEL_* or the default, in that order. It keeps what
// is in effect and why, what is wrong, and what should be told.
type resolver struct {
	lookup   func(string) (string, bool)
	settings []Setting
	errs     []error
	warnings []warning
}

type warning struct {
	text  string
	attrs []slog.Attr
}

const (
	inCode    = "code"
	byDefault = "default"
)

// get returns a variable's value without spaces around it. Empty is the same as not set.
func (r *resolver) get(name string) string {
	v, ok := r.lookup(name)
	if !ok {
		return ""
	}
	return strings.TrimSpace(v)
}

// wanted is what a parser says of a wrong value: what is allowed.
type wanted string

func (w wanted) Error() string { return "want " + string(w) }

// wrong records an error about a variable. Its value is told unless it may hold a secret, as where a URL or a list of
// headers was set to the wrong variable.
func (r *resolver) wrong(name, value string, err error) {
	if strings.Contains(value, "://") || strings.Contains(value, "@") || export.Secretive(value) {
		r.wrongSecret(name, err)
		return
	}
	r.fail(fmt.Errorf("%s=%q: %w", name, model.Cut(value, 120), err))
}

// wrongURL records an error about a variable that should hold a URL.
func (r *resolver) wrongURL(name, value string, err error) {
	r.fail(fmt.Errorf("%s=%q: %w", name, model.Cut(shownURL(value), 120), err))
}

// wrongSecret records an error about a variable whose value may be a secret.
func (r *resolver) wrongSecret(name string, err error) {
	r.fail(fmt.Errorf("%s=%s: %w", name, mask, err))
}

// wrongCode records an error about a field of Config.
func (r *resolver) wrongCode(field string, value any, err error) {
	r.fail(fmt.Errorf("%s: %v: %w", "Config."+field, value, err))
}

// fail adds an error, once: some variables are judged for several settings.
func (r *resolver) fail(err error) {
	if !slices.ContainsFunc(r.errs, func(e error) bool { return e.Error() == err.Error() }) {
		r.errs = append(r.errs, err)
	}
}

func (r *resolver) warn(text string, attrs ...slog.Attr) {
	r.warnings = append(r.warnings, warning{text, attrs})
}

// conflict tells once that two variables of different families disagree.
func (r *resolver) conflict(used, ignored string) {
	const text = "two variables disagree: JAEGER_* wins over OTEL_*"
	attrs := []slog.Attr{slog.String("used", used), slog.String("ignored", ignored)}
	known := func(w warning) bool { return w.text == text && slices.EqualFunc(w.attrs, attrs, slog.Attr.Equal) }
	if !slices.ContainsFunc(r.warnings, known) {
		r.warn(text, attrs...)
	}
}

// note records a setting that is in effect.
func (r *resolver) note(name, value, source string) {
	r.settings = append(r.settings, Setting{name, value, source})
}

// candidate is one place a setting may come from.
type candidate[T any] struct {
	source string // the variable
	raw    string // its value, "" if not set
	parse  func(string) (T, error)
}

// from makes a candidate of a variable.
func from[T any](r *resolver, variable string, parse func(string) (T, error)) candidate[T] {
	return candidate[T]{variable, r.get(variable), parse}
}

// choose returns the value that counts and its source: code's unless zero, else that of the first candidate that is
// set, else def. Every candidate is judged, so that all wrong values are told at once.
func choose[T comparable](r *resolver, code, def T, candidates ...candidate[T]) (T, string) {
	var zero T
	value, source := code, inCode
	for _, c := range candidates {
		if c.raw == "" {
			continue
		}
		v, err := c.parse(c.raw)
		switch {
		case err != nil:
			r.wrong(c.source, c.raw, err)
		case value == zero && source == inCode:
			value, source = v, c.source
		case source != inCode && v != value && family(source) != family(c.source):
			r.conflict(source, c.source)
		}
	}
	if value == zero && source == inCode {
		return def, byDefault
	}
	return value, source
}

// setting is choose and note in one.
func setting[T comparable](r *resolver, name string, code, def T, candidates ...candidate[T]) T {
	value, source := choose(r, code, def, candidates...)
	r.note(name, fmt.Sprint(value), source)
	return value
}

func family(variable string) string {
	prefix, _, _ := strings.Cut(variable, "_")
	return prefix
}

func text(s string) (string, error) { return s, nil }

// boolean reads what strconv.ParseBool reads, as jaeger-client-go does.
func boolean(s string) (bool, error) {
	v, err := strconv.ParseBool(strings.ToLower(s))
	if err != nil {
		return false, wanted("true or false")
	}
	return v, nil
}

// number reads an integer of at least low.
func number(low int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > math.MaxInt32 {
			return 0, wanted(fmt.Sprintf("a whole number from %d to %d", low, math.MaxInt32))
		}
		return n, nil
	}
}

// duration reads a positive duration as Go writes it.
func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, wanted(`a positive duration such as "500ms" or "1s"`)
	}
	return d, nil
}

// milliseconds reads a whole number of milliseconds of at least low; 0, where allowed, is the shortest duration.
func milliseconds(low int) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > math.MaxInt32 {
			return 0, wanted(fmt.Sprintf("a whole number of milliseconds from %d to %d", low, math.MaxInt32))
		}
		return max(time.Duration(n)*time.Millisecond, 1), nil
	}
}

// ratio reads a number from 0 to 1.
func ratio(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, wanted("a number from 0 to 1")
	}
	return f, nil
}

// oneOf reads one of the words, in any case.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s = strings.ToLower(s); slices.Contains(words, s) {
			return s, nil
		}
		return "", wanted("one of " + strings.Join(words, ", "))
	}
}

// err returns all that is wrong.
func (r *resolver) err() error { return errors.Join(r.errs...) }
