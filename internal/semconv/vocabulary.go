package semconv

// Vocabulary selects the names under which tags are written. It is the type of the Semconv options.
type Vocabulary uint8

// OpenTracing are the names that Jaeger and OpenTracing dashboards read. OTel are OpenTelemetry's stable names. Both
// writes each fact under both names.
const (
	OpenTracing Vocabulary = iota
	OTel
	Both
)

// WritesOpenTracing reports whether v includes OpenTracing's names.
func WritesOpenTracing(v Vocabulary) bool { return v != OTel }

// WritesOTel reports whether v includes OpenTelemetry's names.
func WritesOTel(v Vocabulary) bool { return v == OTel || v == Both }
