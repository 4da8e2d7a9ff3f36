package carrier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// Format is a way to write a span context.
type Format uint8

const (
	W3C     Format = iota // traceparent and tracestate, level 2
	Jaeger                // uber-trace-id and jaeger-debug-id
	B3                    // b3, the single header
	B3Multi               // x-b3-traceid and its sisters
	formats
)

var formatNames = [formats]string{"tracecontext", "jaeger", "b3", "b3multi"}

// String returns the name that Parse reads.
func (f Format) String() string {
	if f < formats {
		return formatNames[f]
	}
	return "format " + strconv.Itoa(int(f))
}

// MarshalText returns the same name, so that Stats reads well as JSON.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads one name as Parse does.
func (f *Format) UnmarshalText(text []byte) error {
	list, err := Parse(string(text))
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("carrier: %q is not one propagation format", text)
	}
	if err != nil {
		return err
	}
	*f = list[0]
	return nil
}

// BaggageStyle is a way to write baggage.
type BaggageStyle uint8

const (
	W3CBaggage    BaggageStyle = iota // the baggage header, which keeps the case of keys and any value
	JaegerBaggage                     // uberctx-* headers, with keys in lower case, and jaeger-baggage on the way in
	baggageStyles
)

// Config says what a Propagator reads and writes. The zero value reads all formats and writes W3C and Jaeger.
type Config struct {
	// Extract lists the formats to read: the first valid one wins. nil: W3C, Jaeger, B3, B3Multi. Empty: none.
	Extract []Format
	// Inject lists the formats to write. nil: W3C, Jaeger. Empty: none.
	Inject  []Format
	Baggage Baggage
	Limits  Limits
	Debug   DebugPolicy
	// Decide samples a trace whose caller left the decision open, as B3 may: the trace id is kept, and everything
	// downstream follows. nil: sample. A panic counts as no. It is called by many goroutines.
	Decide func(jaeger.TraceID) bool
}

// Baggage says which baggage items travel. The limits hold over all styles together, on the way in and out; items
// that exceed one are dropped, not the request.
type Baggage struct {
	// Styles lists what to read and write. nil: what goes with the formats, W3CBaggage with W3C, B3 and B3Multi,
	// JaegerBaggage with Jaeger. Empty: no baggage.
	Styles   []BaggageStyle
	MaxItems int // 0: 64, the most there can be. Negative: no baggage
	MaxBytes int // of keys and encoded values. 0: 8192, the most there can be. Negative: no baggage
	// Allow, if not nil, must say yes to a key in both directions; AllowIn and AllowOut in one. A panic counts as no.
	Allow, AllowIn, AllowOut func(key string) bool
}

// Limits bounds what is read besides baggage. What exceeds one is dropped, not the request.
type Limits struct {
	TraceState int // bytes of a tracestate. 0: 8192, the most there can be. Negative: none
	DebugID    int // bytes of a jaeger-debug-id. 0: 64, the most there can be. Negative: none
}

const (
	maxBaggageItems = 64
	maxBaggageBytes = 8192
	maxTracestate   = 8192
	maxDebugID      = 64
)

// New returns a Propagator, or an error that lists all that is wrong with c.
func New(c Config) (*Propagator, error) {
	p := &Propagator{
		extract: or(c.Extract, W3C, Jaeger, B3, B3Multi),
		inject:  or(c.Inject, W3C, Jaeger),
		baggage: c.Baggage,
		limits:  c.Limits,
		decide:  c.Decide,
		debug:   c.Debug.gate(),
	}
	if wrong := p.check(c); wrong != nil {
		return nil, fmt.Errorf("carrier: %s", strings.Join(wrong, "; "))
	}
	if c.Debug != IgnoreDebug() {
		p.marker = newDebugMarker()
	}
	p.stylesIn, p.stylesOut = stylesOf(c.Baggage, p.extract), stylesOf(c.Baggage, p.inject)
	p.reads = fieldsOf(p.extract, p.stylesIn)
	p.manages = p.reads | fieldsOf(p.inject, p.stylesOut)
	return p, nil
}

// check returns what is wrong, and sets the limits that are zero.
func (p *Propagator) check(c Config) (wrong []string) {
	for _, f := range slices.Concat(p.extract, p.inject) {
		if f >= formats {
			wrong = append(wrong, "unknown "+f.String())
		}
	}
	for _, s := range c.Baggage.Styles {
		if s >= baggageStyles {
			wrong = append(wrong, fmt.Sprintf("unknown baggage style %d", s))
		}
	}
	limit := func(name string, v *int, most int) {
		if *v > most {
			wrong = append(wrong, fmt.Sprintf("%s is %d, more than %d", name, *v, most))
		} else if *v == 0 {
			*v = most
		}
	}
	limit("Baggage.MaxItems", &p.baggage.MaxItems, maxBaggageItems)
	limit("Baggage.MaxBytes", &p.baggage.MaxBytes, maxBaggageBytes)
	limit("Limits.TraceState", &p.limits.TraceState, maxTracestate)
	limit("Limits.DebugID", &p.limits.DebugID, maxDebugID)
	if err := c.Debug.check(); err != "" {
		wrong = append(wrong, err)
	}
	return wrong
}

// or returns a copy of list without repetitions, or the default if it is nil.
func or(list []Format, def ...Format) []Format {
	if list == nil {
		return def
	}
	unique := make([]Format, 0, len(list))
	for _, f := range list {
		if !slices.Contains(unique, f) {
			unique = append(unique, f)
		}
	}
	return unique
}

type styleSet uint8

func (s styleSet) has(b BaggageStyle) bool { return s&(1<<b) != 0 }

func stylesOf(b Baggage, list []Format) (s styleSet) {
	if b.MaxItems < 0 || b.MaxBytes < 0 {
		return 0
	}
	for _, style := range b.Styles {
		s |= 1 << style
	}
	if b.Styles != nil {
		return s
	}
	for _, f := range list {
		if f == Jaeger {
			s |= 1 << JaegerBaggage
		} else {
			s |= 1 << W3CBaggage
		}
	}
	return s
}

func fieldsOf(list []Format, styles styleSet) (s fieldSet) {
	for _, f := range list {
		s |= [formats]fieldSet{w3cFields, jaegerFields, 1 << b3, multiB3Fields}[f]
	}
	if styles.has(W3CBaggage) {
		s |= 1 << baggage
	}
	if styles.has(JaegerBaggage) {
		s |= jaegerItems
	}
	return s
}

// Parse reads a list of formats as OTEL_PROPAGATORS and JAEGER_PROPAGATION write it: tracecontext (or w3c), jaeger,
// b3, b3multi, separated by commas; blanks, letter case and repetitions do not matter. "baggage" and "none" name no
// format, so "none" yields an empty list; an empty string yields nil, the default. Unknown names are an error, with
// which the formats it knows come back.
func Parse(names string) ([]Format, error) {
	if strings.TrimSpace(names) == "" {
		return nil, nil
	}
	list, unknown := []Format{}, []string(nil)
	for name := range strings.SplitSeq(names, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		f := Format(slices.Index(formatNames[:], name))
		switch {
		case name == "w3c":
			f = W3C
		case name == "", name == "none", name == "baggage":
			continue
		case f >= formats:
			unknown = append(unknown, strconv.Quote(name))
			continue
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	if unknown != nil {
		return list, fmt.Errorf("carrier: unknown propagation format %s; known are tracecontext, w3c, jaeger, b3, b3multi, baggage, none",
			strings.Join(unknown, ", "))
	}
	return list, nil
}
