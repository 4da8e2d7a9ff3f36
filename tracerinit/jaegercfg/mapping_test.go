package jaegercfg

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics/metricstest"

	"github.com/spanloom/spanloom/tracerinit"
)

// effect is a thing that somebody set in the stock configuration, and what has to come of it.
type effect struct {
	set     func(*config.Configuration)
	options []config.Option
	check   func(tracerinit.Config) bool
	refused string // part of the error, if there is no counterpart
	always  bool   // the kit does it anyway
}

func sampler1(s string) func(tracerinit.Config) bool {
	return func(c tracerinit.Config) bool { return c.Sampler.String() == s }
}

func exporter1(s string) func(tracerinit.Config) bool {
	return func(c tracerinit.Config) bool {
		return len(c.Exporters) == 1 && strings.Contains(fmt.Sprint(c.Exporters[0]), s)
	}
}

func hasOption(c tracerinit.Config) bool { return len(c.TracerOptions) > 0 }

func onSampler(f func(*config.SamplerConfig)) func(*config.Configuration) {
	return func(c *config.Configuration) {
		c.Sampler = &config.SamplerConfig{Type: "remote", Param: 0.5}
		f(c.Sampler)
	}
}

func onReporter(f func(*config.ReporterConfig)) func(*config.Configuration) {
	return func(c *config.Configuration) { c.Reporter = &config.ReporterConfig{}; f(c.Reporter) }
}

// fields has a row for every field of the stock configuration, by its path.
var fields = map[string]effect{
	"ServiceName": {
		set:   func(c *config.Configuration) { c.ServiceName = "shop" },
		check: func(c tracerinit.Config) bool { return c.Service == "shop" },
	},
	"Disabled": {
		set:   func(c *config.Configuration) { c.Disabled = true },
		check: func(c tracerinit.Config) bool { return c.Disabled },
	},
	"RPCMetrics": {
		set: func(c *config.Configuration) { c.RPCMetrics = true }, options: []config.Option{
			config.Metrics(metricstest.NewFactory(0)),
		},
		check: hasOption,
	},
	"Gen128Bit": {
		set:   func(c *config.Configuration) { c.Gen128Bit = true },
		check: func(c tracerinit.Config) bool { return !c.TraceID64 },
	},
	"Tags": {
		set:   func(c *config.Configuration) { c.Tags = []opentracing.Tag{{Key: "k", Value: 1}} },
		check: func(c tracerinit.Config) bool { return c.Tags["k"] == 1 },
	},
	"Headers": {
		set: func(c *config.Configuration) {
			c.Headers = &jaeger.HeadersConfig{TraceContextHeaderName: "x-acme-trace"}
		},
		check: namesTheHeader,
	},
	"BaggageRestrictions": {
		set:     func(c *config.Configuration) { c.BaggageRestrictions = &config.BaggageRestrictionsConfig{} },
		refused: "Propagation.Baggage",
	},
	"Throttler": {
		set: func(c *config.Configuration) { c.Throttler = &config.ThrottlerConfig{} }, refused: "carrier.LimitDebug",
	},

	"Sampler.Type": {
		set:   onSampler(func(s *config.SamplerConfig) { s.Type = "rateLimiting"; s.Param = 2 }),
		check: sampler1("at most 2/s"),
	},
	"Sampler.Param": {
		set:   onSampler(func(s *config.SamplerConfig) { s.Type = "probabilistic"; s.Param = 0.25 }),
		check: sampler1("ratio 0.25"),
	},
	"Sampler.SamplingServerURL": {
		set:   onSampler(func(s *config.SamplerConfig) { s.SamplingServerURL = "http://a:5778/sampling" }),
		check: sampler1("remote http://a:5778/sampling"),
	},
	"Sampler.SamplingRefreshInterval": {
		set:   onSampler(func(s *config.SamplerConfig) { s.SamplingRefreshInterval = time.Second }),
		check: remoteOption("interval = 1s"),
	},
	"Sampler.MaxOperations": {
		set:   onSampler(func(s *config.SamplerConfig) { s.MaxOperations = 7 }),
		check: remoteOption("max_operations = 7"),
	},
	"Sampler.OperationNameLateBinding": {
		set:   onSampler(func(s *config.SamplerConfig) { s.OperationNameLateBinding = true }),
		check: sampler1("custom *jaeger.RemotelyControlledSampler"),
	},
	"Sampler.Options": {
		set: onSampler(func(s *config.SamplerConfig) {
			s.Options = []jaeger.SamplerOption{jaeger.SamplerOptions.MaxOperations(3)}
		}),
		check: sampler1("custom *jaeger.RemotelyControlledSampler"),
	},

	"Reporter.QueueSize": {
		set:   onReporter(func(r *config.ReporterConfig) { r.QueueSize = 5 }),
		check: func(c tracerinit.Config) bool { return c.Queue.Size == 5 },
	},
	"Reporter.BufferFlushInterval": {
		set:   onReporter(func(r *config.ReporterConfig) { r.BufferFlushInterval = time.Hour }),
		check: func(c tracerinit.Config) bool { return c.Queue.Interval == time.Hour },
	},
	"Reporter.LogSpans": {
		set: onReporter(func(r *config.ReporterConfig) { r.LogSpans = true }), options: []config.Option{
			config.Logger(jaeger.StdLogger),
		},
		check: func(c tracerinit.Config) bool { return len(c.Reporters) == 1 && len(c.Exporters) == 1 },
	},
	"Reporter.LocalAgentHostPort": {
		set: onReporter(func(r *config.ReporterConfig) { r.LocalAgentHostPort = "a:1" }), check: exporter1("a:1"),
	},
	"Reporter.DisableAttemptReconnecting": {
		set:     onReporter(func(r *config.ReporterConfig) { r.DisableAttemptReconnecting = true }),
		options: []config.Option{config.Logger(jaeger.NullLogger)}, check: exporter1("localhost:6831"), always: true,
	},
	"Reporter.AttemptReconnectInterval": {
		set:   onReporter(func(r *config.ReporterConfig) { r.AttemptReconnectInterval = time.Hour }),
		check: exporter1("localhost:6831"), always: true,
	},
	"Reporter.CollectorEndpoint": {
		set:   onReporter(func(r *config.ReporterConfig) { r.CollectorEndpoint = "http://j:14268/api/traces" }),
		check: exporter1("http://j:14268/api/traces"),
	},
	// arrives: see start_test.go
	"Reporter.User": {
		set: onReporter(collectorWithUser), check: exporter1("http://j:14268/api/traces"),
	},
	"Reporter.Password": {
		set: onReporter(collectorWithUser), check: exporter1("http://j:14268/api/traces"),
	},
	"Reporter.HTTPHeaders": {
		set: onReporter(collectorWithUser), check: exporter1("http://j:14268/api/traces"),
	},
}

func collectorWithUser(r *config.ReporterConfig) {
	*r = config.ReporterConfig{
		CollectorEndpoint: "http://j:14268/api/traces", User: "u", Password: "p",
		HTTPHeaders: map[string]string{"X-A": "b"},
	}
}

// options has a row for every option, by the field of config.Options that it sets.
var optionEffects = map[string]effect{
	"metrics": {
		options: []config.Option{config.Metrics(metricstest.NewFactory(0))},
		check:   func(c tracerinit.Config) bool { return c.Metrics != nil },
	},
	"logger": {
		options: []config.Option{config.Logger(jaeger.StdLogger)},
		check:   func(c tracerinit.Config) bool { return c.Logger != nil },
	},
	"reporter": {
		options: []config.Option{config.Reporter(jaeger.NewInMemoryReporter())},
		check:   func(c tracerinit.Config) bool { return len(c.Reporters) == 1 && c.Exporters == nil },
	},
	"sampler": {
		options: []config.Option{config.Sampler(jaeger.NewConstSampler(false))}, check: sampler1("never"),
	},
	"contribObservers": {options: []config.Option{config.ContribObserver(nil)}, check: hasOption},
	"observers":        {options: []config.Option{config.Observer(nil)}, check: hasOption},
	"gen128Bit": {
		options: []config.Option{config.Gen128Bit(true)}, check: func(c tracerinit.Config) bool { return !c.TraceID64 },
	},
	"poolSpans":           {options: []config.Option{config.PoolSpans(true)}, refused: "remove the option"},
	"zipkinSharedRPCSpan": {options: []config.Option{config.ZipkinSharedRPCSpan(true)}, check: hasOption},
	"maxTagValueLength": {
		options: []config.Option{config.MaxTagValueLength(9)},
		check:   func(c tracerinit.Config) bool { return c.Limits.ValueBytes == 9 },
	},
	// always so here
	"noDebugFlagOnForcedSampling": {
		options: []config.Option{config.NoDebugFlagOnForcedSampling(true)}, always: true,
		check: func(tracerinit.Config) bool { return true },
	},
	"tags": {
		options: []config.Option{config.Tag("k", "v")},
		check:   func(c tracerinit.Config) bool { return c.Tags["k"] == "v" },
	},
	"injectors":  {options: []config.Option{config.Injector("x", nil)}, check: hasOption},
	"extractors": {options: []config.Option{config.Extractor("x", nil)}, check: hasOption},
	"randomNumber": {
		options: []config.Option{config.WithRandomNumber(func() uint64 { return 1 })}, check: hasOption,
	},
}

func TestEveryFieldHasAnEffectOrIsRefused(t *testing.T) {
	var paths []string
	for _, typ := range []struct {
		prefix string
		t      reflect.Type
	}{
		{"", reflect.TypeFor[config.Configuration]()}, {"Sampler.", reflect.TypeFor[config.SamplerConfig]()},
		{"Reporter.", reflect.TypeFor[config.ReporterConfig]()},
	} {
		for i := range typ.t.NumField() {
			if f := typ.t.Field(i); f.Name != "Sampler" && f.Name != "Reporter" {
				paths = append(paths, typ.prefix+f.Name)
			}
		}
	}
	same(t, paths, fields)
	for path, e := range fields {
		t.Run(path, func(t *testing.T) { e.run(t) })
	}
}

func TestEveryOptionHasAnEffectOrIsRefused(t *testing.T) {
	var names []string
	typ := reflect.TypeFor[config.Options]()
	for i := range typ.NumField() {
		names = append(names, typ.Field(i).Name)
	}
	same(t, names, optionEffects)
	for name, e := range optionEffects {
		t.Run(name, func(t *testing.T) { e.run(t) })
	}
}

// same fails unless every name has a row and every row a name.
func same(t *testing.T, names []string, rows map[string]effect) {
	t.Helper()
	var have []string
	for name := range rows {
		have = append(have, name)
	}
	slices.Sort(names)
	slices.Sort(have)
	if diff := cmp.Diff(names, have); diff != "" {
		t.Errorf("(-stock +rows):\n%s", diff)
	}
}

func (e effect) run(t *testing.T) {
	cfg := config.Configuration{Sampler: &config.SamplerConfig{Type: "const", Param: 1}}
	if e.set != nil {
		e.set(&cfg)
	}
	after, cleanup, err := convert(cfg, e.options)
	switch {
	case e.refused != "":
		if err == nil || !strings.Contains(err.Error(), e.refused) {
			t.Errorf("error %v, want %s", err, e.refused)
		}
		return
	case err != nil:
		t.Fatal(err)
	}
	defer cleanup()
	if !e.check(after) {
		t.Errorf("no effect: %+v", after)
	}
	if before, _, err := convert(config.Configuration{Sampler: &config.SamplerConfig{Type: "const", Param: 1}},
		nil); err != nil ||
		e.check(before) != e.always {
		t.Errorf("the same without the setting: %v, %+v", err, before)
	}
}

// remoteOption starts a tracer with the sampler, to see a setting of it.
func remoteOption(setting string) func(tracerinit.Config) bool {
	return func(c tracerinit.Config) bool {
		c.Local, c.Reporters, c.Exporters = true, []jaeger.Reporter{jaeger.NewNullReporter()}, nil
		tracer, err := tracerinit.Start(c)
		if err != nil {
			return false
		}
		defer tracer.Close()
		return strings.Contains(fmt.Sprint(tracer.Settings()), "sampler."+setting)
	}
}

func namesTheHeader(c tracerinit.Config) bool {
	c.Local, c.Reporters, c.Exporters = true, []jaeger.Reporter{jaeger.NewNullReporter()}, nil
	tracer, err := tracerinit.Start(c)
	if err != nil {
		return false
	}
	defer tracer.Close()
	headers := opentracing.HTTPHeadersCarrier{}
	span := tracer.StartSpan("x")
	defer span.Finish()
	err = tracer.Inject(span.Context(), opentracing.HTTPHeaders, headers)
	return err == nil && len(headers["X-Acme-Trace"]) == 1 && len(headers["Uber-Trace-Id"]) == 0
}

func TestDefaultsAreThoseOfTheStockConfiguration(t *testing.T) {
	c, cleanup, err := convert(config.Configuration{ServiceName: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	if !sampler1("remote")(c) || !exporter1("localhost:6831")(c) || !c.TraceID64 || c.Logger != nil ||
		c.Metrics != nil {
		t.Errorf("%v %+v", c.Sampler, c)
	}
}

func TestRefusalsAreReportedTogether(t *testing.T) {
	_, err := Convert(config.Configuration{
		Throttler: &config.ThrottlerConfig{}, BaggageRestrictions: &config.BaggageRestrictionsConfig{},
	},
		config.PoolSpans(true))
	for _, part := range []string{"Throttler", "BaggageRestrictions", "PoolSpans"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %s", err, part)
		}
	}
	if _, err := Convert(config.Configuration{Disabled: true, Throttler: &config.ThrottlerConfig{}}); err != nil {
		t.Errorf("disabled: %v", err)
	}
	if _, err := Convert(config.Configuration{Sampler: &config.SamplerConfig{Type: "odd"}}); err == nil ||
		errors.Is(err, errLayout) {
		t.Errorf("a sampler of no type: %v", err)
	}
}
