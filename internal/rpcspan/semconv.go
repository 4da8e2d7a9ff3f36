package rpcspan

// Semconv chooses the vocabulary of tags.
type Semconv uint8

// OpenTracing is the vocabulary that Jaeger and OpenTracing dashboards read; OTel is the stable one of
// OpenTelemetry; Both writes every fact in both.
const (
	OpenTracing Semconv = iota
	OTel
	Both
)

// OpenTracing reports whether OpenTracing's names are written.
func (s Semconv) OpenTracing() bool { return s != OTel }

// OTel reports whether OpenTelemetry's names are written.
func (s Semconv) OTel() bool { return s == OTel || s == Both }
