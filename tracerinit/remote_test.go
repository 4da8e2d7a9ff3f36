package tracerinit_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testnet"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// strategies is a sampling server whose answers the test gives.
type strategies struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests atomic.Int64
	last     atomic.Pointer[http.Request]
}

func newStrategies(t testing.TB, answer http.HandlerFunc) *strategies {
	s := &strategies{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.last.Store(r)
		s.requests.Add(1)
		s.mu.Lock()
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *strategies) say(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func text200(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

const everything = `{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}`

// share is how many of n new traces are sampled.
func share(tracer *tracerinit.Tracer, operation string, n int) float64 {
	sampled := 0
	for range n {
		span := tracer.StartSpan(operation)
		if contextOf(span).IsSampled() {
			sampled++
		}
		span.Finish()
	}
	return float64(sampled) / float64(n)
}

func TestRemoteSamplerFetchesAtOnce(t *testing.T) {
	server := newStrategies(t, text200(everything))
	tracer, _ := memory(
		t,
		tracerinit.Config{
			Service: "shop & co",
			Sampler: tracerinit.Remote(
				server.URL+"/adapt_tok@en_1/api/sampling?a=b", tracerinit.RemoteOptions{Interval: time.Hour, Initial: tracerinit.Never()},
			),
		},
	)
	eventually(t, "a first answer", func() bool { return tracer.Stats().Sampler.Changed == 1 })
	if got := share(tracer, "x", 100); got != 1 {
		t.Errorf("%v of the traces are sampled", got)
	}
	if got := server.last.Load().URL.String(); got != "/adapt_tok@en_1/api/sampling?a=b&service=shop+%26+co" {
		t.Errorf("asked %s", got)
	}
}

func TestPerOperationStrategies(t *testing.T) {
	server := newStrategies(t, text200(`{"strategyType":"PROBABILISTIC","operationSampling":{
		"defaultSamplingProbability":0, "defaultLowerBoundTracesPerSecond":0,
		"perOperationStrategies":[
			{"operation":"GET /all","probabilisticSampling":{"samplingRate":1}},
			{"operation":"GET /none","probabilisticSampling":{"samplingRate":0}},
			{"operation":"GET /half","probabilisticSampling":{"samplingRate":0.5}}]}}`))
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Remote(server.URL, tracerinit.RemoteOptions{Interval: time.Hour})})
	eventually(t, "an answer", func() bool { return tracer.Stats().Sampler.Changed == 1 })
	for operation, want := range map[string]float64{"GET /all": 1, "GET /none": 0, "GET /half": 0.5, "other": 0} {
		t.Run(operation, func(t *testing.T) {
			if got := share(tracer, operation, 4000); math.Abs(got-want) > 0.05 || want == 0 && got != 0 {
				t.Errorf("%s: %v of the traces are sampled, want %v", operation, got, want)
			}
		})
	}
	tags := tagsOf(testspans.Start(t, tracer, "GET /all"))
	if tags[jaeger.SamplerTypeTagKey] != jaeger.SamplerTypeProbabilistic || tags[jaeger.SamplerParamTagKey] != 1.0 {
		t.Errorf("the sampler's tags are %v", tags)
	}
}

// badAnswers are answers that must change nothing.
var badAnswers = map[string]http.HandlerFunc{
	"nothing":          text200(""),
	"no JSON":          text200("<html>"),
	"null":             text200("null"),
	"empty object":     text200("{}"),
	"no strategy":      text200(`{"strategyType":"PROBABILISTIC"}`),
	"unknown type":     text200(`{"strategyType":"ODD","probabilisticSampling":{"samplingRate":0}}`),
	"unknown number":   text200(`{"strategyType":7,"probabilisticSampling":{"samplingRate":0}}`),
	"other type":       text200(`{"strategyType":[],"probabilisticSampling":{"samplingRate":0}}`),
	"not its strategy": text200(`{"strategyType":1,"probabilisticSampling":{"samplingRate":0}}`),
	"over 1":           text200(`{"probabilisticSampling":{"samplingRate":1.5}}`),
	"negative":         text200(`{"probabilisticSampling":{"samplingRate":-1}}`),
	"negative rate":    text200(`{"rateLimitingSampling":{"maxTracesPerSecond":-1}}`),
	"huge rate":        text200(`{"rateLimitingSampling":{"maxTracesPerSecond":1e300}}`),
	"no number":        text200(`{"probabilisticSampling":{"samplingRate":"NaN"}}`),
	"operation alone":  text200(`{"operationSampling":{"perOperationStrategies":[{"operation":"x"}]}}`),
	"operation null":   text200(`{"operationSampling":{"perOperationStrategies":[null]}}`),
	"bad operation": text200(
		`{"operationSampling":{"perOperationStrategies":[{"operation":"x","probabilisticSampling":{"samplingRate":2}}]}}`,
	),
	"bad lower bound": text200(`{"operationSampling":{"defaultLowerBoundTracesPerSecond":-1}}`),
	"trailing text":   text200(everything + "x"),
	"deep":            text200(strings.Repeat("[", 100000)),
	"404":             http.NotFound,
	"500":             func(w http.ResponseWriter, _ *http.Request) { http.Error(w, everything, 500) },
	"redirect": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/elsewhere" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		fmt.Fprint(w, `{"probabilisticSampling":{"samplingRate":0}}`)
	},
	"cut short": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, everything)
	},
	"too long": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, everything)
		_, _ = w.Write(bytes.Repeat([]byte(" "), tracerinit.MaxStrategyBytes))
	},
}

func TestBadAnswersKeepTheLastGoodStrategy(t *testing.T) {
	for name, answer := range badAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log logBuffer
			server := newStrategies(t, text200(everything))
			tracer, _ := memory(
				t,
				tracerinit.Config{
					Logger: log.Logger(),
					Sampler: tracerinit.Remote(
						server.URL+"/adapt_secret-1/api/sampling", tracerinit.RemoteOptions{Interval: time.Millisecond},
					),
				},
			)
			eventually(t, "a good answer", func() bool { return tracer.Stats().Sampler.Changed == 1 })
			server.say(answer)
			eventually(t, "three bad answers", func() bool { return tracer.Stats().Sampler.Failed >= 3 })
			if got := share(tracer, "x", 50); got != 1 {
				t.Errorf("%v of the traces are sampled", got)
			}
			if n := strings.Count(log.String(), "\n"); n != 1 {
				t.Errorf("%d lines:\n%s", n, log.String())
			}
			if said := log.String() + tracer.Stats().Sampler.LastError; strings.Contains(said, "secret-1") ||
				tracer.Stats().Sampler.LastError == "" {
				t.Errorf("a secret is logged, or nothing: %s", said)
			}
			server.say(text200(`{"probabilisticSampling":{"samplingRate":0}}`))
			eventually(t, "a new strategy", func() bool { return tracer.Stats().Sampler.Changed == 2 })
			if got := share(tracer, "x", 50); got != 0 {
				t.Errorf("%v of the traces are sampled after the next good answer", got)
			}
		})
	}
}

// states are sampling servers in every kind of trouble.
func states(t *testing.T) (urls map[string]string, servers map[string]*strategies) {
	servers = map[string]*strategies{}
	hang := func(r *http.Request) { <-r.Context().Done() }
	serve := func(name string, h http.HandlerFunc) {
		servers[name] = newStrategies(t, h)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, by its backlog, and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	serve("healthy", text200(everything))
	serve("slow headers", func(_ http.ResponseWriter, r *http.Request) { hang(r) })
	serve("slow body", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "{")
		w.(http.Flusher).Flush()
		hang(r)
	})
	serve("endless body", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = fmt.Fprint(w, "          ")
		}
	})
	urls = map[string]string{"dead": "http://" + testnet.Refusing(t), "silent": "http://" + silent.Addr().String()}
	for name, s := range servers {
		urls[name] = s.URL
	}
	return urls, servers
}

func TestShutdownKeepsItsDeadlineWhateverTheSamplingServer(t *testing.T) {
	urls, servers := states(t)
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			tracer, err := tracerinit.Start(
				local(
					tracerinit.Config{Sampler: tracerinit.Remote(url, tracerinit.RemoteOptions{}),
						Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}},
				),
			)
			if took := time.Since(began); err != nil || took > 5*time.Second {
				t.Fatalf("Start took %v: %v", took, err)
			}
			tracer.StartSpan("x").Finish()
			if asked := servers[name]; asked != nil {
				eventually(t, "a question", func() bool { return asked.requests.Load() > 0 })
			}
			began = time.Now()
			if err := tracer.Shutdown(within(t, time.Minute)); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("Shutdown took %v", took)
			}
		})
	}
}

func TestTheReasonOfARefusalIsReported(t *testing.T) {
	server := newStrategies(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no service of that name for secret-1", http.StatusForbidden)
	})
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Remote(server.URL+"/adapt_secret-1/sampling", tracerinit.RemoteOptions{Interval: time.Hour})})
	eventually(t, "a refusal", func() bool { return tracer.Stats().Sampler.Failed >= 1 })
	said := tracer.Stats().Sampler.LastError
	if !strings.Contains(said, "403 Forbidden") || !strings.Contains(said, "no service of that name for ***") {
		t.Errorf("reported %q", said)
	}
}

func TestRemoteSamplerTriesAgainSoonUntilItKnowsSomething(t *testing.T) {
	server := newStrategies(t, http.NotFound)
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Remote(server.URL, tracerinit.RemoteOptions{Interval: time.Hour})})
	eventually(t, "a second question", func() bool { return tracer.Stats().Sampler.Failed >= 2 })
}

// panickingWriter makes a logger panic.
type panickingWriter struct{}

func (panickingWriter) Write([]byte) (int, error) { panic("logger") }

func TestRemoteSamplerSurvivesALoggerThatPanics(t *testing.T) {
	server := newStrategies(t, http.NotFound)
	logger := slog.New(slog.NewTextHandler(panickingWriter{}, nil))
	tracer, _ := memory(
		t, tracerinit.Config{Logger: logger, Sampler: tracerinit.Remote(server.URL, tracerinit.RemoteOptions{Interval: time.Millisecond})},
	)
	eventually(t, "two questions", func() bool { return tracer.Stats().Sampler.Failed >= 2 })
}
