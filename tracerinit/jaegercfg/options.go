package jaegercfg

import (
	"errors"
	"reflect"
	"sync"
	"unsafe"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics"
)

// options has the layout of [config.Options] of jaeger-client-go 2.30, the last version. Its fields are not exported,
// and the options are functions that set them, so that this is the only way to learn what a program passed.
// layoutMatches compares the two before they are used; if they differ, [Start] is an error as soon as there is an
// option.
type options struct {
	metrics                     metrics.Factory
	logger                      jaeger.Logger
	reporter                    jaeger.Reporter
	sampler                     jaeger.Sampler
	contribObservers            []jaeger.ContribObserver
	observers                   []jaeger.Observer //lint:ignore SA1019 the stock options still take it
	gen128Bit                   bool
	poolSpans                   bool
	zipkinSharedRPCSpan         bool
	maxTagValueLength           int
	noDebugFlagOnForcedSampling bool
	tags                        []opentracing.Tag
	injectors                   map[any]jaeger.Injector
	extractors                  map[any]jaeger.Extractor
	randomNumber                func() uint64
}

var errLayout = errors.New("jaegercfg: the options are not those of jaeger-client-go 2.30: " +
	"use its fields, or build a tracerinit.Config")

// layoutMatches reports whether options and [config.Options] are the same in memory.
var layoutMatches = sync.OnceValue(func() bool {
	ours, theirs := reflect.TypeFor[options](), reflect.TypeFor[config.Options]()
	if ours.NumField() != theirs.NumField() || ours.Size() != theirs.Size() {
		return false
	}
	for i := range ours.NumField() {
		a, b := ours.Field(i), theirs.Field(i)
		if a.Name != b.Name || a.Type != b.Type || a.Offset != b.Offset {
			return false
		}
	}
	return true
})

// read applies options and returns what they set.
func read(list []config.Option) (options, error) {
	if len(list) > 0 && !layoutMatches() {
		return options{}, errLayout
	}
	set := new(config.Options)
	o := (*options)(unsafe.Pointer(set)) // the layouts match
	o.injectors, o.extractors = map[any]jaeger.Injector{}, map[any]jaeger.Extractor{}
	for _, option := range list {
		if option != nil {
			option(set)
		}
	}
	return *o, nil
}
