package tracerinit

import (
	"log/slog"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// Config is what [Start] builds a tracer from. A field left zero is filled from the environment, then from a default;
// so a bool that is false means "not set here". The zero Config is a good one for a program that is configured by its
// environment. docs/configuration.md lists all variables.
type Config struct {
	Service     string         // default: unknown_service:<binary>
	Version     string         // of the service
	Environment string         // such as "production"
	Tags        map[string]any // process tags of Jaeger, resource attributes of OTLP
	Disabled    bool           // no spans, but the incoming context is still passed on
	Sampler     Sampler        // of new traces; others follow their parent. Default: Always()
	Propagation carrier.Config // Extract and Inject are filled from the environment when both are empty
	Exporters   []Exporter     // default, unless there are Reporters: OTLPHTTP("http://localhost:4318")
	// Reporters get each sampled span in the goroutine that finishes it, so they should be quick: a traceview.View,
	// jaeger.NewInMemoryReporter. A panic in one is swallowed and counted. Shutdown closes them. One that is a
	// [StartReporter] is called when spans start, too.
	Reporters       []jaeger.Reporter
	Queue           Queue
	Limits          Limits
	ShutdownTimeout time.Duration // used by Close, and by Shutdown without a deadline; default 5 s
	Local           bool          // do not become opentracing.GlobalTracer
	// TraceID64 makes ids of new traces 64 bits long, as those of jaeger-client-go are by default. The default is 128.
	TraceID64 bool
	// TracerOptions are passed to jaeger-client-go after the kit's own, for what it alone knows: observers, injectors
	// and extractors of other formats. They can undo what this package promises; with any of them spans start more
	// slowly.
	TracerOptions []jaeger.TracerOption
	// Metrics are the metrics of jaeger-client-go, none of them nil, for programs that have dashboards of them. The
	// tracer keeps them up to date: those of exporters and sampler within a second. With them spans start more slowly,
	// and [Tracer.Stats] has it all without them.
	Metrics   *jaeger.Metrics
	Logger    *slog.Logger                // default: slog.Default(); at most a few lines a minute
	LookupEnv func(string) (string, bool) // default: os.LookupEnv
}

// Limits bounds what one span carries to an exporter. Zero takes the default, a negative value sets no limit.
type Limits struct {
	Tags       int // tags of a span; default 128
	Logs       int // logs of a span; default 128, the oldest and the newest
	Fields     int // fields of a log; default 128
	ValueBytes int // of a string or binary value; longer ones are cut and end in "…"; default 16 KiB
}
