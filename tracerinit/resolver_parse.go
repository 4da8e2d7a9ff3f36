package tracerinit

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// expected is the error of a parser: it says which values are right.
type expected string

func (e expected) Error() string { return "want " + string(e) }

// errMeansDefault is the error of a parser for a value that, in its family, means the default.
var errMeansDefault = errors.New("the default")

// forever stands for a timeout of zero, which OpenTelemetry defines as none.
const forever = math.MaxInt32 * time.Millisecond

func anyText(s string) (string, error) { return s, nil }

// boolean reads what [strconv.ParseBool] reads, as jaeger-client-go does.
func boolean(s string) (bool, error) {
	v, err := strconv.ParseBool(strings.ToLower(s))
	if err != nil {
		return false, expected("true or false")
	}
	return v, nil
}

// onlyTrue returns the parser of an OpenTelemetry boolean: only true, in any case, is true, and anything but false gets
// a warning: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#boolean
func (r *resolver) onlyTrue(variable string) candidate[bool] {
	return from(r, variable, func(s string) (bool, error) {
		yes := strings.EqualFold(s, "true")
		if !yes && !strings.EqualFold(s, "false") {
			r.reported[variable] = true
			r.warn("a variable is neither true nor false, and counts as false", slog.String("variable", variable))
		}
		return yes, nil
	})
}

// number reads an integer of at least low.
func number(low int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > math.MaxInt32 {
			return 0, expected(fmt.Sprintf("a whole number from %d to %d", low, math.MaxInt32))
		}
		return n, nil
	}
}

// size reads a positive integer; zero means the default, as it does to jaeger-client-go.
func size(s string) (int, error) {
	if n, err := strconv.Atoi(s); err == nil && n == 0 {
		return 0, errMeansDefault
	}
	return number(1)(s)
}

// otelSize is size for a variable of OpenTelemetry, where zero is out of range and gets a warning.
func (r *resolver) otelSize(variable string) candidate[int] {
	return from(r, variable, func(s string) (int, error) {
		n, err := size(s)
		if errors.Is(err, errMeansDefault) {
			r.warn("a variable is zero, and counts as not set", slog.String("variable", variable))
		}
		return n, err
	})
}

// limit returns the parser of a bound; zero, which allows nothing, becomes ifZero.
func limit(ifZero int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := number(0)(s)
		if err == nil && n == 0 {
			return ifZero, nil
		}
		return n, err
	}
}

// duration reads a duration as Go writes it. Zero means the default, as it does to jaeger-client-go.
func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, expected(`a positive duration such as "500ms" or "1s"`)
	}
	if d == 0 {
		return 0, errMeansDefault
	}
	return d, nil
}

// milliseconds reads a whole number of milliseconds; zero becomes ifZero.
func milliseconds(ifZero time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return 0, expected(fmt.Sprintf("a whole number of milliseconds from 0 to %d", math.MaxInt32))
		}
		if n == 0 {
			return ifZero, nil
		}
		return time.Duration(n) * time.Millisecond, nil
	}
}

// noWait stands for an interval of zero, since zero in [Queue] is the default.
const noWait = time.Nanosecond

// shownInterval returns the text of an interval for [Setting].
func shownInterval(d time.Duration) string {
	if d == noWait {
		return "0s"
	}
	return d.String()
}

// shownTimeout returns the text of a timeout for [Setting].
func shownTimeout(d time.Duration) string {
	if d == forever {
		return "none"
	}
	return d.String()
}

// ratio reads a number from 0 to 1.
func ratio(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, expected("a number from 0 to 1")
	}
	return f, nil
}

// oneOf reads one of the words, in any case.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s = strings.ToLower(s); slices.Contains(words, s) {
			return s, nil
		}
		return "", expected("one of " + strings.Join(words, ", "))
	}
}

// listOf splits a list at its commas, in lower case.
func listOf(list string) (out []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// entry is one of a list of key=value.
type entry struct {
	number     int // counted from 1
	key, value string
	ok         bool // it has an equals sign, and both sides can be decoded
}

// entries reads a list of key=value, separated by commas. Empty entries are left out.
func entries(list string, decodeKey, decodeValue func(string) (string, error)) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		n := 0
		for text := range strings.SplitSeq(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			n++
			k, v, ok := strings.Cut(text, "=")
			k, errKey := decodeKey(strings.TrimSpace(k))
			v, errValue := decodeValue(strings.TrimSpace(v))
			if !yield(entry{n, k, v, ok && errKey == nil && errValue == nil}) {
				return
			}
		}
	}
}
