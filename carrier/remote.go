package carrier

import "github.com/uber/jaeger-client-go"

// decision is a caller's decision about sampling.
type decision uint8

const (
	undecided decision = iota
	unsampled
	sampled
)

// remote is the caller's span as a header describes it.
type remote struct {
	trace    jaeger.TraceID
	span     jaeger.SpanID
	parent   jaeger.SpanID // 0 if the format has none
	sampling decision
	debug    bool
	firehose bool
	random   bool // W3C: the low 56 bits of the trace id are random
}

func (r *remote) valid() bool { return r.trace.IsValid() && r.span != 0 }

// remoteOf is sc, which must be valid, as the next process will see it.
func remoteOf(sc jaeger.SpanContext) remote {
	flags := sc.Flags()
	return remote{
		trace: sc.TraceID(), span: sc.SpanID(), parent: sc.ParentID(),
		sampling: decided(flags&flagSampled != 0), debug: flags&flagDebug != 0, firehose: flags&flagFirehose != 0,
	}
}

// merge adds what other has and r's format could not express. It returns false if other belongs to another trace.
func (r *remote) merge(other *remote) (sameTrace bool) {
	if r.trace != other.trace {
		return false
	}
	if r.sampling == undecided {
		r.sampling = other.sampling
	}
	if r.span != other.span {
		return true
	}
	if r.parent == 0 {
		r.parent = other.parent
	}
	r.firehose = r.firehose || other.firehose
	if other.debug {
		r.sampling, r.debug = sampled, true
	}
	return true
}

func decided(sample bool) decision {
	if sample {
		return sampled
	}
	return unsampled
}
