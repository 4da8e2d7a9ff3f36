package tracerinit_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// byTag samples a trace if its first span gets the tag "keep", and at once if its name begins with "keep".
type byTag struct {
	mu     sync.Mutex
	seen   []string
	closed int
	hang   chan struct{}
}

func (s *byTag) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, what)
}

func (s *byTag) OnCreateSpan(span *jaeger.Span) jaeger.SamplingDecision {
	s.note("create " + span.OperationName())
	keep := strings.HasPrefix(span.OperationName(), "keep")
	return jaeger.SamplingDecision{
		Sample: keep, Retryable: !keep, Tags: []jaeger.Tag{jaeger.NewTag("sampler.type", "byTag")},
	}
}

func (s *byTag) OnSetOperationName(span *jaeger.Span, name string) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

func (s *byTag) OnSetTag(span *jaeger.Span, key string, value any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Sample: key == "keep", Retryable: key != "keep"}
}

func (s *byTag) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{}
}

func (s *byTag) Close() {
	s.mu.Lock()
	s.closed++
	s.mu.Unlock()
	if s.hang != nil {
		<-s.hang
	}
}

func TestACustomSamplerDecidesAboutEveryNewTrace(t *testing.T) {
	sampler := &byTag{}
	tracer, spans := memory(t, tracerinit.Config{Sampler: tracerinit.CustomSampler(sampler)})
	tracer.StartSpan("drop").Finish()
	tracer.StartSpan("keep").Finish()
	late := tracer.StartSpan(
		"late", opentracing.Tag{Key: "a", Value: 1}, ext.SpanKindRPCServer, opentracing.Tag{Key: "b", Value: 1},
	)
	child := tracer.StartSpan("child", opentracing.ChildOf(late.Context()))
	late.SetTag("keep", true)
	child.Finish()
	late.Finish()
	var got []string
	for _, s := range spans.GetSpans() {
		got = append(got, s.(*jaeger.Span).OperationName())
	}
	slices.Sort(got)
	if want := []string{"child", "keep", "late"}; !slices.Equal(got, want) {
		t.Errorf("sampled are %v, want %v", got, want)
	}
	if s := tracer.Stats(); s.Started != 4 || s.Reported != 3 || s.Unsampled != 1 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
	if engine.Of(tracer) != nil {
		t.Error("the middlewares start spans past the sampler")
	}
	if s := find(tracer.Settings(), "sampler"); fmt.Sprint(s) != "[sampler = custom *tracerinit_test.byTag (code)]" {
		t.Errorf("%v", s)
	}
}

func TestACustomSamplerDecidesWhereThereIsNoSpan(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.JaegerSampler(struct{ jaeger.Sampler }{jaeger.NewConstSampler(true)})})
	sc := incoming(t, tracer, "b3", callerTrace+"-"+callerSpan) // undecided
	if !contextOf(testspans.Start(t, tracer, "x", opentracing.ChildOf(sc))).IsSampled() {
		t.Error("a caller without a decision is not sampled")
	}
}

// byNameOnce is a sampler of the interface that knows no spans.
type byNameOnce struct{ jaeger.Sampler }

func (byNameOnce) IsSampled(_ jaeger.TraceID, name string) (bool, []jaeger.Tag) {
	return name == "keep", nil
}

func (byNameOnce) Close() {}

// ofBothInterfaces is a sampler that knows spans and has the methods of the older interface, too.
type ofBothInterfaces struct{ *byTag }

func (ofBothInterfaces) IsSampled(jaeger.TraceID, string) (bool, []jaeger.Tag) { return false, nil }

func (ofBothInterfaces) Equal(jaeger.Sampler) bool { return false }

func TestSamplersOfJaegerClientGoWorkAsTheyAre(t *testing.T) {
	ratio, _ := jaeger.NewProbabilisticSampler(0.5)
	for name, c := range map[string]struct {
		sampler jaeger.Sampler
		shown   string
	}{
		"constant yes":   {jaeger.NewConstSampler(true), "always"},
		"constant no":    {jaeger.NewConstSampler(false), "never"},
		"probabilistic":  {ratio, "ratio 0.5"},
		"rate limiting":  {jaeger.NewRateLimitingSampler(1), "custom *jaeger.RateLimitingSampler"},
		"two interfaces": {ofBothInterfaces{&byTag{}}, "custom tracerinit_test.ofBothInterfaces"},
		"old interface":  {byNameOnce{}, "custom tracerinit_test.byNameOnce"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tracerinit.JaegerSampler(c.sampler).String(); got != c.shown {
				t.Errorf("%s, want %s", got, c.shown)
			}
		})
	}
}

func TestASamplerOfTheOldInterfaceDecidesWhenATraceBegins(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.JaegerSampler(byNameOnce{})})
	for first, want := range map[string]bool{"keep": true, "drop": false} {
		t.Run(first, func(t *testing.T) {
			span := tracer.StartSpan(first)
			defer span.Finish()
			span.SetOperationName(map[bool]string{true: "drop", false: "keep"}[want]).SetTag("keep", true)
			if got := contextOf(span).IsSampled(); got != want {
				t.Errorf("sampled: %t, want %t", got, want)
			}
		})
	}
}

func TestNoSamplerOfJaegerClientGoIsAnError(t *testing.T) {
	_, err := tracerinit.Start(tracerinit.Config{Service: "x", Local: true, Sampler: tracerinit.JaegerSampler(nil), LookupEnv: func(string) (string, bool) { return "", false }})
	if err == nil || !strings.Contains(err.Error(), "Sampler") {
		t.Errorf("%v", err)
	}
}

func TestShutdownClosesTheCustomSamplerOnceAndInTime(t *testing.T) {
	sampler := &byTag{hang: make(chan struct{})}
	tracer := start(t, tracerinit.Config{Sampler: tracerinit.CustomSampler(sampler), Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := tracer.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "sampler") {
		t.Errorf("%v", err)
	}
	close(sampler.hang)
	if err := tracer.Shutdown(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
	if sampler.closed != 1 {
		t.Errorf("closed %d times", sampler.closed)
	}
}

func TestTracerOptionsReachJaegerClientGo(t *testing.T) {
	observer := &countingObserver{}
	tracer, _ := memory(t, tracerinit.Config{
		TracerOptions: []jaeger.TracerOption{jaeger.TracerOptions.ContribObserver(observer)}, TraceID64: true,
	})
	span := tracer.StartSpan("x")
	if contextOf(span).TraceID().High != 0 {
		t.Error("the trace id has 128 bits")
	}
	span.Finish()
	if observer.started != 1 || engine.Of(tracer) != nil {
		t.Errorf("%d spans observed, engine %v", observer.started, engine.Of(tracer))
	}
}

type countingObserver struct{ started int }

func (o *countingObserver) OnStartSpan(opentracing.Span, string,
	opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	o.started++
	return nil, false
}

// panickingSampler is a sampler all of whose methods panic.
type panickingSampler struct{}

func (panickingSampler) OnCreateSpan(*jaeger.Span) jaeger.SamplingDecision { panic("create") }
func (panickingSampler) OnSetOperationName(*jaeger.Span, string) jaeger.SamplingDecision {
	panic("name")
}
func (panickingSampler) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision { panic("tag") }
func (panickingSampler) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision          { panic("finish") }
func (panickingSampler) Close()                                                     { panic("close") }

// retrying is one that leaves the decision open when a trace begins.
type retrying struct{ panickingSampler }

func (retrying) OnCreateSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

func TestACustomSamplerThatPanicsFailsNoRequest(t *testing.T) {
	for name, sampler := range map[string]jaeger.SamplerV2{"at once": panickingSampler{}, "later": retrying{}} {
		for method, call := range map[string]func(opentracing.Span){
			"name":   func(s opentracing.Span) { s.SetOperationName("y") },
			"tag":    func(s opentracing.Span) { s.SetTag("k", 1) },
			"finish": func(opentracing.Span) {},
		} {
			t.Run(name+" "+method, func(t *testing.T) {
				tracer, spans := memory(t, tracerinit.Config{Sampler: tracerinit.CustomSampler(sampler)})
				span := tracer.StartSpan("x")
				call(span)
				span.Finish()
				if spans.SpansSubmitted() != 0 {
					t.Error("the span is sampled")
				}
				if err := tracer.Shutdown(within(t, time.Minute)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestStartSurvivesALoggerThatPanics(t *testing.T) {
	start(t, tracerinit.Config{
		Logger: slog.New(slog.NewTextHandler(panickingWriter{}, nil)), LookupEnv: env("OTEL_SDK_DISABLED=yes"),
		Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
	})
}
