// Package neighbours_test puts services of this kit beside services instrumented by others, and joins their spans.
package neighbours_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// party is the instrumentation of one service.
type party interface {
	handler(http.Handler) http.Handler
	transport(http.RoundTripper) http.RoundTripper
	serverOptions() []grpc.ServerOption
	dialOptions() []grpc.DialOption
	setBaggage(ctx context.Context, key, value string) context.Context
	baggage(ctx context.Context, key string) string
	recorded() []span
}

// span is what both sides record of one span.
type span struct {
	trace, id, parent string // hex; parent "" for a root
	kind              string
}

// ours is a service with this kit.
type ours struct {
	tracer   *tracerinit.Tracer
	reporter *jaeger.InMemoryReporter
}

func newOurs(t *testing.T, sampler tracerinit.Sampler, propagation carrier.Config) party {
	t.Helper()
	o := ours{reporter: jaeger.NewInMemoryReporter()}
	var err error
	o.tracer, err = tracerinit.Start(tracerinit.Config{
		Service: "ours", Local: true, Sampler: sampler, Propagation: propagation,
		Reporters: []jaeger.Reporter{o.reporter},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.tracer.Close() })
	return o
}

func (o ours) handler(h http.Handler) http.Handler { return httpmw.Middleware(o.tracer)(h) }
func (o ours) transport(rt http.RoundTripper) http.RoundTripper {
	return httpmw.Transport(o.tracer, rt)
}
func (o ours) serverOptions() []grpc.ServerOption { return grpcmw.ServerOptions(o.tracer) }
func (o ours) dialOptions() []grpc.DialOption     { return grpcmw.DialOptions(o.tracer) }

func (o ours) setBaggage(ctx context.Context, key, value string) context.Context {
	opentracing.SpanFromContext(ctx).SetBaggageItem(key, value)
	return ctx
}

func (o ours) baggage(ctx context.Context, key string) string {
	return opentracing.SpanFromContext(ctx).BaggageItem(key)
}

func (o ours) recorded() (all []span) {
	for _, s := range o.reporter.GetSpans() {
		all = append(all, spanOfJaeger(s.(*jaeger.Span)))
	}
	return all
}

func spanOfJaeger(s *jaeger.Span) span {
	sc := s.SpanContext()
	out := span{trace: carrier.TraceID(sc), id: carrier.SpanID(sc), kind: fmt.Sprint(s.Tags()["span.kind"])}
	if sc.ParentID() != 0 {
		out.parent = fmt.Sprintf("%016x", uint64(sc.ParentID()))
	}
	return out
}

// theirs is a service with OpenTelemetry.
type theirs struct {
	provider   *sdk.TracerProvider
	recorder   *tracetest.SpanRecorder
	propagator propagation.TextMapPropagator
}

func newTheirs(t *testing.T, sampler sdk.Sampler, propagators ...propagation.TextMapPropagator) party {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSampler(sdk.ParentBased(sampler)), sdk.WithSpanProcessor(recorder))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	if len(propagators) == 0 {
		propagators = []propagation.TextMapPropagator{propagation.TraceContext{}, propagation.Baggage{}}
	}
	return theirs{provider, recorder, propagation.NewCompositeTextMapPropagator(propagators...)}
}

func (o theirs) handler(h http.Handler) http.Handler {
	return otelhttp.NewHandler(h, "theirs", otelhttp.WithTracerProvider(o.provider), otelhttp.WithPropagators(o.propagator))
}

func (o theirs) transport(rt http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(o.provider), otelhttp.WithPropagators(o.propagator))
}

func (o theirs) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(o.provider), otelgrpc.WithPropagators(o.propagator)))}
}

func (o theirs) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(
		otelgrpc.WithTracerProvider(o.provider), otelgrpc.WithPropagators(o.propagator)))}
}

func (theirs) setBaggage(ctx context.Context, key, value string) context.Context {
	member, err := baggage.NewMemberRaw(key, value)
	if err != nil {
		panic(err)
	}
	bag, err := baggage.FromContext(ctx).SetMember(member)
	if err != nil {
		panic(err)
	}
	return baggage.ContextWithBaggage(ctx, bag)
}

func (theirs) baggage(ctx context.Context, key string) string {
	return baggage.FromContext(ctx).Member(key).Value()
}

func (o theirs) recorded() (all []span) {
	for _, s := range o.recorder.Ended() {
		if !s.SpanContext().IsSampled() {
			continue
		}
		out := span{trace: s.SpanContext().TraceID().String(), id: s.SpanContext().SpanID().String(), kind: s.SpanKind().String()}
		if s.Parent().SpanID().IsValid() {
			out.parent = s.Parent().SpanID().String()
		}
		all = append(all, out)
	}
	return all
}

// stock is a service with jaeger-client-go as it comes, which knows uber-trace-id alone. It speaks HTTP only.
type stock struct {
	party
	tracer   opentracing.Tracer
	reporter *jaeger.InMemoryReporter
}

func newStock(t *testing.T, sampler jaeger.Sampler) party {
	t.Helper()
	s := stock{reporter: jaeger.NewInMemoryReporter()}
	tracer, closer := jaeger.NewTracer("stock", sampler, s.reporter, jaeger.TracerOptions.Gen128Bit(true), testspans.Finished(t))
	t.Cleanup(func() { closer.Close() })
	s.tracer = tracer
	return s
}

func (s stock) handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parent, _ := s.tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header))
		span := s.tracer.StartSpan("serve", ext.RPCServerOption(parent))
		defer span.Finish()
		h.ServeHTTP(w, r.WithContext(opentracing.ContextWithSpan(r.Context(), span)))
	})
}

func (s stock) transport(rt http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		span, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), s.tracer, "call", ext.SpanKindRPCClient)
		defer span.Finish()
		r = r.Clone(r.Context())
		if err := s.tracer.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header)); err != nil {
			return nil, err
		}
		return rt.RoundTrip(r)
	})
}

func (s stock) setBaggage(ctx context.Context, key, value string) context.Context {
	return ours{}.setBaggage(ctx, key, value)
}
func (s stock) baggage(ctx context.Context, key string) string { return ours{}.baggage(ctx, key) }
func (s stock) recorded() []span                               { return ours{reporter: s.reporter}.recorded() }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
