package tracerinit

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// resolver finds the value of each setting. Precedence, highest first: [Config], JAEGER_* variables, OTEL_* variables,
// defaults. It collects the settings in effect with their sources, what is wrong, and what deserves a warning.
type resolver struct {
	lookup    func(string) (string, bool)
	variables map[string]string // every variable that was looked up and is set, with its value
	reported  map[string]bool   // variables that an error or a warning names
	unused    bool              // what is being read has no effect: wrong values are warnings
	settings  []Setting
	errs      []error
	warnings  []warning
}

type warning struct {
	text  string
	attrs []slog.Attr
}

const (
	sourceCode    = "code"
	sourceDefault = "default"
)

func newResolver(lookup func(string) (string, bool)) *resolver {
	return &resolver{lookup: lookup, variables: map[string]string{}, reported: map[string]bool{}}
}

// get returns a variable's value without spaces around it. An empty variable is the same as one that is not set.
func (r *resolver) get(name string) string {
	v, ok := r.lookup(name)
	if v = strings.TrimSpace(v); !ok || v == "" {
		return ""
	}
	r.variables[name] = v
	return v
}

// set returns those of the variables that are set.
func (r *resolver) set(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.get(name) == "" })
}

// onlyIf marks what is read until the returned function runs as having no effect unless used is true.
func (r *resolver) onlyIf(used bool) (restore func()) {
	before := r.unused
	r.unused = before || !used
	return func() { r.unused = before }
}

// wrong records that a variable has a wrong value: as an error if something uses the variable, else as a warning. The
// value is quoted only if it cannot be a secret that was written into the wrong variable.
func (r *resolver) wrong(name, value string, err error) {
	r.wrongShown(name, quoted(value), value, err)
}

// wrongURL records an error about a variable that should hold a URL, of which scheme and host are shown.
func (r *resolver) wrongURL(name, value string, err error) {
	r.wrongShown(name, quoted(shownURL(value)), value, err)
}

// wrongSecret records an error about a variable whose value may be a secret.
func (r *resolver) wrongSecret(name, value string, err error) {
	r.wrongShown(name, mask, value, err)
}

func (r *resolver) wrongShown(name, shown, value string, err error) {
	r.reported[name] = true
	if hint := hintFor(value); hint != "" {
		err = fmt.Errorf("%w; %s", err, hint)
	}
	if r.unused {
		r.warn("the value of a variable is wrong; nothing uses it now",
			slog.String("variable", name), slog.String("value", strings.Trim(shown, `"`)), slog.String("error",
				err.Error()))
		return
	}
	r.fail(fmt.Errorf("%s=%s: %w", name, shown, err))
}

// wrongCode records an error about a field of [Config].
func (r *resolver) wrongCode(field string, value any, err error) {
	r.fail(fmt.Errorf("%s: %v: %w", "Config."+field, value, err))
}

// fail adds an error, once: several settings may depend on one variable.
func (r *resolver) fail(err error) {
	if !slices.ContainsFunc(r.errs, func(e error) bool { return e.Error() == err.Error() }) {
		r.errs = append(r.errs, err)
	}
}

// warn adds a warning, once.
func (r *resolver) warn(text string, attrs ...slog.Attr) {
	same := func(w warning) bool { return w.text == text && slices.EqualFunc(w.attrs, attrs, slog.Attr.Equal) }
	if !slices.ContainsFunc(r.warnings, same) {
		r.warnings = append(r.warnings, warning{text, attrs})
	}
}

// conflict warns that variables of the two families disagree.
func (r *resolver) conflict(used, ignored string) {
	r.warn(
		"two variables disagree: JAEGER_* wins over OTEL_*", slog.String("used", used), slog.String("ignored", ignored),
	)
}

// note records a setting that is in effect, and the variables that it overrides.
func (r *resolver) note(name, value, source string, overrides ...string) {
	r.settings = append(r.settings, Setting{name, value, source, strings.Join(overrides, ", ")})
}

// candidate is one place that a setting may come from.
type candidate[T any] struct {
	source string // the variable
	raw    string // its value, "" if it is not set
	parse  func(string) (T, error)
}

// from returns the candidate that is a variable.
func from[T any](r *resolver, variable string, parse func(string) (T, error)) candidate[T] {
	return candidate[T]{variable, r.get(variable), parse}
}

// choice is the value of a setting, its source, and the variables that are set to something else without effect.
type choice[T any] struct {
	value     T
	source    string
	overrides []string
}

// choose returns code's value unless it is zero, else that of the first candidate that is set, else def. Every
// candidate is parsed, so that all wrong values are reported at once; what has no effect is reported as a warning.
func choose[T comparable](r *resolver, code, def T, candidates ...candidate[T]) choice[T] {
	var zero T
	c := choice[T]{value: code, source: sourceCode}
	found := code != zero
	for _, from := range candidates {
		if from.raw == "" {
			continue
		}
		restore := r.onlyIf(!found)
		v, err := from.parse(from.raw)
		switch {
		case errors.Is(err, errMeansDefault):
		case err != nil:
			r.wrong(from.source, from.raw, err)
		case !found:
			c.value, c.source, found = v, from.source, true
		case v != c.value:
			c.overrides = append(c.overrides, from.source)
			if c.source != sourceCode && family(c.source) != family(from.source) {
				r.conflict(c.source, from.source)
			}
		}
		restore()
	}
	if !found {
		return choice[T]{value: def, source: sourceDefault}
	}
	return c
}

// setting is choose and note in one.
func setting[T comparable](r *resolver, name string, code, def T, candidates ...candidate[T]) T {
	c := choose(r, code, def, candidates...)
	r.note(name, fmt.Sprint(c.value), c.source, c.overrides...)
	return c.value
}

func family(variable string) string {
	prefix, _, _ := strings.Cut(variable, "_")
	return prefix
}

// hints warns of quotes and unexpanded references in values that are otherwise right.
func (r *resolver) hints() {
	for _, name := range sortedKeys(r.variables) {
		if hint := r.hintFor(name); hint != "" && !r.reported[name] {
			r.warn("a variable may not hold what was meant: "+hint, slog.String("variable", name))
		}
	}
}

// err returns all that is wrong.
func (r *resolver) err() error { return errors.Join(r.errs...) }

func slogVariable(name string) slog.Attr { return slog.String("variable", name) }

func slogError(err error) slog.Attr { return slog.String("error", err.Error()) }
