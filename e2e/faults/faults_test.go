package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

var (
	queue = tracerinit.Queue{Size: 100_000, Batch: 100, Interval: 20 * time.Millisecond, Timeout: 300 * time.Millisecond}
	retry = tracerinit.Retry{Initial: 10 * time.Millisecond, Max: 50 * time.Millisecond, Limit: 30 * time.Second}
)

// backends are ways to a sink through a wire that can break.
var backends = map[string]func(*testing.T) (tracerinit.Exporter, *sink.Wire, *sink.Taken){
	"OTLP over HTTP": func(t *testing.T) (tracerinit.Exporter, *sink.Wire, *sink.Taken) {
		backend := sink.NewHTTP(t)
		wire := sink.NewWire(t, strings.TrimPrefix(backend.URL, "http://"))
		return tracerinit.OTLPHTTP("http://"+wire.Addr, tracerinit.WithRetry(retry)), wire, &backend.Taken
	},
	"thrift over HTTP": func(t *testing.T) (tracerinit.Exporter, *sink.Wire, *sink.Taken) {
		backend := sink.NewHTTP(t)
		wire := sink.NewWire(t, strings.TrimPrefix(backend.URL, "http://"))
		return tracerinit.JaegerHTTP("http://"+wire.Addr+"/api/traces", tracerinit.WithRetry(retry)), wire, &backend.Taken
	},
	"OTLP over gRPC": func(t *testing.T) (tracerinit.Exporter, *sink.Wire, *sink.Taken) {
		backend := sink.NewGRPC(t)
		wire := sink.NewWire(t, backend.Addr)
		return otlpgrpc.New("http://"+wire.Addr, otlpgrpc.WithRetry(retry)), wire, &backend.Taken
	},
}

var broken = []sink.Mode{sink.Dead, sink.Resets, sink.Hangs, sink.Drips}

// The wire breaks under load and heals: nothing is lost.
func TestAWireThatHealsLosesNothing(t *testing.T) {
	for name, start := range backends {
		for _, mode := range broken {
			t.Run(name+", "+mode.String(), func(t *testing.T) {
				t.Parallel()
				exporter, wire, taken := start(t)
				s := newService(t, exporter, queue)
				s.work(500)
				s.flush(t)
				wire.Set(t, mode)
				s.work(500)
				s.failures(t)
				s.work(500)
				wire.Set(t, sink.Sound)
				s.work(500)
				s.flush(t)
				if e := s.account(t, taken); e.Delivered != 2000 {
					t.Errorf("delivered %d of 2000: %+v", e.Delivered, e)
				}
				s.shutdown(t, wait.Patience)
				s.account(t, taken)
			})
		}
	}
}

// The wire never heals: shutting down is on time, and what was not sent is counted.
func TestAWireThatNeverHealsDelaysNoShutdown(t *testing.T) {
	for name, start := range backends {
		for _, mode := range broken {
			t.Run(name+", "+mode.String(), func(t *testing.T) {
				t.Parallel()
				exporter, wire, taken := start(t)
				s := newService(t, exporter, queue)
				s.work(300)
				s.flush(t)
				wire.Set(t, mode)
				s.work(500)
				s.shutdown(t, 400*time.Millisecond)
				e := s.account(t, taken)
				if e.Delivered != 300 || e.Dropped.Closed+e.Dropped.Failed != 500 {
					t.Errorf("want 300 delivered, 500 dropped: %+v", e)
				}
				s.StartSpan("late").Finish()
				if late := s.Stats().Exporters[0]; late.Reported != e.Reported+1 || late.Dropped.Closed != e.Dropped.Closed+1 {
					t.Errorf("a span after the end is not counted as dropped: %+v", late)
				}
			})
		}
	}
}

// Answers that may pass are tried again until they do; what Limit does not outlast is dropped and counted.
func TestRefusedBatchesAreTriedAgainWithinTheLimit(t *testing.T) {
	exporters := map[string]func(url string, r tracerinit.Retry) tracerinit.Exporter{
		"OTLP": func(url string, r tracerinit.Retry) tracerinit.Exporter {
			return tracerinit.OTLPHTTP(url, tracerinit.WithRetry(r))
		},
		"thrift": func(url string, r tracerinit.Retry) tracerinit.Exporter {
			return tracerinit.JaegerHTTP(url+"/api/traces", tracerinit.WithRetry(r))
		},
	}
	faults := map[string]http.HandlerFunc{
		"503":                   sink.Refuse(http.StatusServiceUnavailable),
		"503 with Retry-After":  sink.Refuse(http.StatusServiceUnavailable, "Retry-After", "1"),
		"429":                   sink.Refuse(http.StatusTooManyRequests),
		"504 behind a gateway":  sink.Refuse(http.StatusGatewayTimeout),
		"hangs after headers":   sink.Hang,
		"reads 1 byte a second": sink.Sip,
		"resets":                sink.Reset,
	}
	patient := queue
	patient.Timeout = 3 * time.Second // an answer that comes later has its spans sent twice
	for name, exporter := range exporters {
		for fault, answer := range faults {
			t.Run(name+", "+fault+", then 200", func(t *testing.T) {
				t.Parallel()
				backend := sink.NewHTTP(t)
				backend.Misbehave(answer)
				s := newService(t, exporter(backend.URL, retry), patient)
				s.work(300)
				s.failures(t)
				backend.Misbehave(nil)
				s.flush(t)
				if e := s.account(t, &backend.Taken); e.Delivered != 300 {
					t.Errorf("delivered %d of 300: %+v", e.Delivered, e)
				}
				if twice := backend.Twice(); len(twice) > 0 {
					t.Errorf("%d spans came twice", len(twice))
				}
			})
			t.Run(name+", "+fault+", for good", func(t *testing.T) {
				t.Parallel()
				backend := sink.NewHTTP(t)
				backend.Misbehave(answer)
				brief := retry
				brief.Limit = 200 * time.Millisecond
				s := newService(t, exporter(backend.URL, brief), queue)
				s.work(300)
				s.flush(t)
				if e := s.account(t, &backend.Taken); e.Dropped.Failed != 300 {
					t.Errorf("want 300 dropped as failed: %+v", e)
				}
			})
		}
		final := map[string]int{"OTLP": http.StatusInsufficientStorage, "thrift": http.StatusBadRequest}[name]
		t.Run(fmt.Sprint(name, ", ", final), func(t *testing.T) {
			t.Parallel()
			backend := sink.NewHTTP(t)
			backend.Misbehave(sink.Refuse(final))
			s := newService(t, exporter(backend.URL, retry), queue)
			s.work(100)
			s.flush(t)
			if e := s.account(t, &backend.Taken); e.Dropped.Refused != 100 || int64(e.Failures) != backend.Attempts.Load() {
				t.Errorf("want 100 refused, and no second attempt: %+v after %d requests", e, backend.Attempts.Load())
			}
		})
		t.Run(name+", answer without end at 1 byte a second", func(t *testing.T) {
			t.Parallel()
			backend := sink.NewHTTP(t)
			backend.Misbehave(backend.Drip)
			s := newService(t, exporter(backend.URL, retry), queue)
			s.work(100)
			s.flush(t)
			if e := s.account(t, &backend.Taken); e.Delivered != 100 {
				t.Errorf("the backend said 200 to 100 spans: %+v", e)
			}
		})
	}
}

func TestRefusals_gRPC(t *testing.T) {
	for code, passes := range map[codes.Code]bool{
		codes.Unavailable: true, codes.Aborted: true, codes.DeadlineExceeded: true, codes.DataLoss: true,
		codes.PermissionDenied: false, codes.InvalidArgument: false, codes.Unimplemented: false,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			backend := sink.NewGRPC(t)
			backend.Misbehave(func(context.Context) error { return status.Error(code, "not now") })
			s := newService(t, otlpgrpc.New(backend.Addr, otlpgrpc.WithRetry(retry)), queue)
			s.work(100)
			s.failures(t)
			if !passes {
				s.flush(t)
				if e := s.account(t, &backend.Taken); e.Dropped.Refused != 100 {
					t.Errorf("want 100 refused: %+v", e)
				}
				return
			}
			backend.Misbehave(nil)
			s.flush(t)
			if e := s.account(t, &backend.Taken); e.Delivered != 100 {
				t.Errorf("want 100 delivered: %+v", e)
			}
		})
	}
}

// A Jaeger agent takes everything while it is there.
func TestAnAgentTakesEverySpan(t *testing.T) {
	agent := sink.NewUDP(t)
	s := newService(t, tracerinit.JaegerUDP(agent.Addr), queue)
	s.work(3000)
	s.shutdown(t, wait.Patience)
	wait.For(t, "the agent to have read what was sent", func() (any, bool) {
		return agent.Len(), agent.Len() >= 3000
	})
	if e := s.account(t, &agent.Taken); e.Delivered != 3000 {
		t.Errorf("delivered %d of 3000", e.Delivered)
	}
}

// While no agent is there, some datagrams are refused and others are lost without an error. The counts add up all the
// same, and a program ends in time.
func TestCountsAddUpWhenTheAgentDies(t *testing.T) {
	agent := sink.NewUDP(t)
	s := newService(t, tracerinit.JaegerUDP(agent.Addr), queue)
	s.work(500)
	s.flush(t)
	agent.Down()
	s.work(500)
	s.shutdown(t, 5*time.Second)
	e := s.Stats().Exporters[0]
	if e.Reported != 1000 || e.Reported != e.Delivered+e.Dropped.Total() || e.Dropped.Total() == 0 {
		t.Errorf("the counts do not add up, or the agent was not missed: %+v", e)
	}
}
