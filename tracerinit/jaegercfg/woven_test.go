package jaegercfg

import (
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"

	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestWovenNewTracer(t *testing.T) {
	for name, c := range map[string]struct {
		cfg         config.Configuration
		provisional bool
		ok, global  bool
	}{
		"a tracer":               {config.Configuration{ServiceName: "shop", Sampler: alwaysConst()}, false, true, false},
		"beside that of main":    {config.Configuration{ServiceName: "shop", Sampler: alwaysConst()}, true, true, true},
		"disabled":               {config.Configuration{Disabled: true}, false, true, false},
		"stock error: no name":   {config.Configuration{}, false, false, false},
		"stock error: sampler":   {config.Configuration{ServiceName: "shop", Sampler: &config.SamplerConfig{Type: "x"}}, false, false, false},
		"refused: no such agent": {config.Configuration{ServiceName: "shop", Throttler: &config.ThrottlerConfig{}}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := opentracing.GlobalTracer()
			t.Cleanup(func() { opentracing.SetGlobalTracer(before) })
			woven.SetProvisional(c.provisional)
			t.Cleanup(func() { woven.SetProvisional(false) })
			tracer, closer, ok := wovenNewTracer(c.cfg, nil)
			if ok != c.ok {
				t.Fatalf("ok is %t", ok)
			}
			if !ok {
				return
			}
			defer closer.Close()
			kit, isKit := tracer.(*tracerinit.Tracer)
			if !isKit {
				t.Fatalf("the tracer is %T", tracer)
			}
			if global := opentracing.GlobalTracer() == kit; global != c.global {
				t.Errorf("it is the global one: %t", global)
			}
		})
	}
}
