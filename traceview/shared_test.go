package traceview_test

import "github.com/spanloom/spanloom/traceview"

// These helpers are those of the tests inside the package, which export_test.go shares.
var (
	newView      = traceview.NewStill
	put          = traceview.Put
	shopTrace    = traceview.ShopTrace
	hostileTrace = traceview.HostileTrace
	root         = traceview.Root
	spanAt       = traceview.SpanAt
	outline      = traceview.Outline
	id           = traceview.TraceIDOf
	ms           = traceview.Millis
	tag          = traceview.TagOf
	noon         = traceview.Noon
	call         = traceview.Call
	get          = traceview.Get
	golden       = traceview.Golden
	contains     = traceview.Contains
	escape       = traceview.Escape
	traceHex     = traceview.TraceHex
	spanHex      = traceview.SpanHex
)
