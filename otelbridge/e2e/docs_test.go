package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// What follows is the code of docs/opentelemetry.md. It is compiled, and does not run.
var _ = []any{install, openTracingCode, openTelemetryCode}

func install(base http.RoundTripper) error {
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop"})
	otelbridge.Install(tracer)
	b := otelbridge.New(tracer)
	otelhttp.NewTransport(base, otelhttp.WithTracerProvider(b.TracerProvider()), otelhttp.WithPropagators(b.Propagator()))
	return err
}

func openTracingCode(ctx context.Context, tracer opentracing.Tracer, m map[string]string, key string, err error) []any {
	span, ctx := opentracing.StartSpanFromContext(ctx, "pack")
	defer span.Finish()
	span.SetOperationName("pack all")
	span.SetTag("items", 3)
	ext.SpanKindRPCClient.Set(span)
	span.LogKV("event", "cache miss", "key", key)
	ext.LogError(span, err)
	_ = tracer.Inject(span.Context(), opentracing.TextMap, opentracing.TextMapCarrier(m))
	_, _ = tracer.Extract(opentracing.TextMap, opentracing.TextMapCarrier(m))
	span.SetBaggageItem("tenant", "seven")
	return []any{
		span.BaggageItem("tenant"), opentracing.SpanFromContext(ctx), opentracing.ContextWithSpan(ctx, span),
		opentracing.FollowsFrom(span.Context()), span.Context().(jaeger.SpanContext), span.(*jaeger.Span),
		otelbridge.Unwrap(span).(*jaeger.Span), carrier.TraceID(span.Context()), carrier.SpanID(span.Context()),
	}
}

func openTelemetryCode(ctx context.Context, m map[string]string, key string, err error) []any {
	ctx, span := otel.Tracer("shop/orders").Start(ctx, "pack")
	defer span.End()
	span.SetName("pack all")
	span.SetAttributes(attribute.Int("items", 3))
	span.AddEvent("cache miss", trace.WithAttributes(attribute.String("key", key)))
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
	otel.GetTextMapPropagator().Inject(ctx, propagation.MapCarrier(m))
	bag := baggage.FromContext(ctx)
	member, _ := baggage.NewMemberRaw("tenant", "seven")
	bag, _ = bag.SetMember(member)
	return []any{
		baggage.FromContext(ctx).Member("tenant").Value(), baggage.ContextWithBaggage(ctx, bag), trace.SpanFromContext(ctx),
		trace.ContextWithSpan(ctx, span), trace.WithSpanKind(trace.SpanKindClient), trace.WithNewRoot(),
		trace.WithLinks(trace.Link{SpanContext: span.SpanContext()}), trace.SpanContextFromContext(ctx),
		otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier(m)),
	}
}

// TestTheDocumentCompiles finds each piece of code of docs/opentelemetry.md in a test of this module.
func TestTheDocumentCompiles(t *testing.T) {
	document, err := os.ReadFile("../../docs/opentelemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, file := range append(files, "docs_test.go") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code += string(text)
	}
	expression := regexp.MustCompile("`([^`]*\\(.*\\)[^`]*)`")
	found := 0
	for line := range strings.Lines(string(document)) {
		var pieces []string
		if indented, ok := strings.CutPrefix(line, "    "); ok {
			pieces = append(pieces, strings.TrimSpace(indented))
		}
		for _, p := range strings.Split(line, "`") {
			if expression.MatchString("`"+p+"`") && strings.HasPrefix(line, "|") {
				pieces = append(pieces, p)
			}
		}
		for _, p := range pieces {
			found++
			if !strings.Contains(code, p) {
				t.Errorf("no test has: %s", p)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d pieces of code are found", found)
	}
}
