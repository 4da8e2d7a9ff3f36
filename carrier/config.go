package carrier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// BaggageStyle is a way to write baggage.
type BaggageStyle uint8

const (
	W3CBaggage    BaggageStyle = iota // the baggage header, which keeps the case of keys and any value
	JaegerBaggage                     // uberctx-KEY headers, with keys in lower case, and jaeger-baggage on the way in
	PrefixBaggage                     // baggage-KEY headers of Sleuth and of Jaeger clients with B3, never escaped
	baggageStyles
)

var styleNames = [baggageStyles]string{"w3c", "jaeger", "prefix"}

// String returns "w3c", "jaeger" or "prefix".
func (b BaggageStyle) String() string {
	if b < baggageStyles {
		return styleNames[b]
	}
	return fmt.Sprintf("baggage style %d", b)
}

// field is the field of the keys of a style that has one for each item.
func (b BaggageStyle) field() field { return uberctx + field(b-JaegerBaggage) }

// Config is what a [Propagator] reads and writes. The zero value reads all formats and writes W3C and Jaeger.
type Config struct {
	// Extract lists the formats to read: the first valid one is the parent. nil: W3C, Jaeger, B3, B3Multi. Empty: none.
	// Either of B3 and B3Multi stands for both.
	Extract []Format
	// Inject lists the formats to write. Empty: none. nil: W3C, Jaeger, and, for a trace whose parent came in B3, the
	// caller's encoding of B3, too. List W3C and Jaeger to turn that off.
	Inject  []Format
	Custom  []CustomFormat // formats of one's own, read after those of Extract and written beside those of Inject
	Baggage Baggage
	Limits  Limits
	Debug   DebugPolicy
	// Jaeger has the header names of the Jaeger format and of JaegerBaggage. Those that are empty are the usual ones.
	Jaeger jaeger.HeadersConfig
	// Decide samples a trace whose caller left the decision open, as B3 may: the trace id is kept, and everything
	// downstream follows. nil: sample. A panic counts as no. It is called by many goroutines.
	Decide func(jaeger.TraceID) bool
}

// Baggage is which baggage items travel. The limits hold over all styles together, on the way in and out; items
// that exceed one are dropped, not the request.
//
// On the way out, items that others have written to the same carrier stay, come first, and are never dropped. If the
// rest does not fit in all styles together, it is written in one: W3CBaggage if that is on, else JaegerBaggage.
type Baggage struct {
	// Styles lists what to read and write. nil: what goes with the formats, W3CBaggage with W3C, B3 and B3Multi,
	// JaegerBaggage with Jaeger. Empty: no baggage.
	Styles   []BaggageStyle
	Prefix   string // of the keys of PrefixBaggage. "": "baggage-"
	MaxItems int    // 0: 64, the most there can be. Negative: no baggage
	MaxBytes int    // of keys and encoded values. 0: 8192, the most there can be. Negative: no baggage
	// Allow, if not nil, must accept a key in both directions; AllowIn and AllowOut in one. A panic counts as no.
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
		extract:   withBothB3(or(c.Extract, W3C, Jaeger, B3, B3Multi)),
		inject:    or(c.Inject, W3C, Jaeger),
		answersB3: c.Inject == nil,
		baggage:   c.Baggage,
		limits:    c.Limits,
		decide:    c.Decide,
		debug:     c.Debug.allowFunc(),
	}
	wrong := p.check(c)
	if wrong == nil {
		wrong = p.setKeys(c)
	}
	if wrong != nil {
		return nil, fmt.Errorf("carrier: %s", strings.Join(wrong, "; "))
	}
	if c.Debug != IgnoreDebug() {
		p.marker = newDebugMarker()
	}
	return p, nil
}

// setKeys sets the fields that are read and written, and the names of all keys. It returns what is wrong with them.
func (p *Propagator) setKeys(c Config) (wrong []string) {
	p.stylesIn, p.stylesOut = stylesOf(c.Baggage, p.extract), stylesOf(c.Baggage, p.inject)
	p.reads = fieldsOf(p.extract, p.stylesIn)
	p.manages = p.reads | fieldsOf(p.inject, p.stylesOut)
	names := defaultNames
	override := func(name *string, configured string) {
		if configured != "" {
			*name = configured
		}
	}
	override(&names[uberTraceID], c.Jaeger.TraceContextHeaderName)
	override(&names[jaegerDebugID], c.Jaeger.JaegerDebugHeader)
	override(&names[jaegerBaggage], c.Jaeger.JaegerBaggageHeader)
	for f, name := range names {
		p.keys.fixed[f] = newKeyName(name)
	}
	prefixes := [...]string{defaultUberctxPrefix, defaultBaggagePrefix}
	override(&prefixes[0], c.Jaeger.TraceBaggageHeaderPrefix)
	override(&prefixes[1], c.Baggage.Prefix)
	for i, prefix := range prefixes {
		p.keys.prefixes[i] = newKeyName(prefix)
	}
	if wrong = p.addCustom(c.Custom); wrong == nil {
		wrong = p.keys.check()
	}
	if wrong == nil {
		p.keys.manage(p.manages)
		p.spanHeaders = p.spanHeadersOf()
	}
	return wrong
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

// withBothB3 returns list with each encoding of B3 if it has either. Neighbours that speak B3 know of one format.
func withBothB3(list []Format) []Format {
	i := slices.IndexFunc(list, Format.isB3)
	if i < 0 {
		return list
	}
	other := B3 + B3Multi - list[i]
	if slices.Contains(list, other) {
		return list
	}
	return slices.Insert(slices.Clone(list), i+1, other)
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

const prefixStyles = styleSet(1<<JaegerBaggage | 1<<PrefixBaggage)

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
		s |= formatTable[f].fields
	}
	if styles.has(W3CBaggage) {
		s |= 1 << baggage
	}
	if styles.has(JaegerBaggage) {
		s |= 1<<jaegerBaggage | 1<<uberctx
	}
	if styles.has(PrefixBaggage) {
		s |= 1 << prefixed
	}
	return s
}
