package traceview

import "github.com/spanloom/spanloom/internal/model"

// The helpers that the tests outside the package share with those inside.
var (
	NewStill     = newView
	Put          = put
	ShopTrace    = shopTrace
	HostileTrace = hostileTrace
	Root         = root
	SpanAt       = spanAt
	Outline      = outline
	TraceIDOf    = id
	Millis       = ms
	TagOf        = tag
	Noon         = noon
	Call         = call
	Get          = get
	Golden       = golden
	Contains     = contains
	Escape       = escape
)

var (
	TraceHex     = traceHex
	SpanHex      = spanHex
	IndentOf     = indentOf
	DecodeLimits = decodeLimits
)

const (
	ExactDepth = exactDepth
	MaxBody    = maxBody
	MaxDepth   = maxDepth
	MaxLegend  = maxLegend
	MaxSpans   = maxSpans
)

type (
	APIError    = apiError
	JaegerTrace = jaegerTrace
	SummaryV3   = summaryV3
)

// AnyTrace is the id of a trace that v keeps, or zero.
func AnyTrace(v *View) model.TraceID {
	for id := range v.store.traces {
		return id
	}
	return model.TraceID{}
}

// FirstSpanOf is the first span of a trace that v keeps.
func FirstSpanOf(v *View, trace model.TraceID) model.Span {
	snap, _ := v.store.get(trace)
	return snap.list[0].Span
}

// ReceivedBy counts the spans that came to v.
func ReceivedBy(v *View) int { return v.store.totals.received }

// SpansIn counts the spans that v keeps.
func SpansIn(v *View) int { return v.store.totals.spans }

// TracesIn counts the traces that v keeps.
func TracesIn(v *View) int { return len(v.store.all()) }

// ServicesIn lists the services of the spans that v keeps.
func ServicesIn(v *View) []string { return v.store.serviceNames() }
