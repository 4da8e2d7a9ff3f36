package otlpgrpc

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/remotesampling"
	"github.com/spanloom/spanloom/tracerinit"
)

// The fields of Jaeger's sampling.proto, api_v2.
func message(n protowire.Number, sub ...[]byte) []byte {
	var body []byte
	for _, b := range sub {
		body = append(body, b...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), body)
}

func double(n protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, n, protowire.Fixed64Type), math.Float64bits(v))
}

func varint(n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
}

func operation(name string, rate float64) []byte {
	return message(3, message(1, []byte(name)), message(2, double(1, rate)))
}

// samplingServer answers GetSamplingStrategy with what answer returns.
type samplingServer struct {
	mu     sync.Mutex
	answer []byte
	err    error
	asked  []string
}

func startSampling(t *testing.T, answer []byte, err error) (s *samplingServer, addr string) {
	t.Helper()
	s = &samplingServer{answer: answer, err: err}
	server := grpc.NewServer(grpc.ForceServerCodecV2(wire{}), grpc.UnknownServiceHandler(s.serve))
	lis := listen(t)
	go server.Serve(lis)
	t.Cleanup(server.Stop)
	return s, lis.Addr().String()
}

func (s *samplingServer) serve(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, n := protowire.ConsumeTag(request)
	service, _ := protowire.ConsumeString(request[n:])
	s.asked = append(s.asked, method+" "+service)
	if s.err != nil {
		return s.err
	}
	return stream.SendMsg(&s.answer)
}

func startSampled(t *testing.T, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Service, cfg.Local = "shop", true
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = func(string) (string, bool) { return "", false }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Reporters = []jaeger.Reporter{jaeger.NewNullReporter()}
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	return tracer
}

// eventually waits until ok, at most ten seconds.
func eventually(t *testing.T, what string, tracer *tracerinit.Tracer, ok func(tracerinit.SamplerStats) bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(tracer.Stats().Sampler); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within ten seconds: %+v", what, tracer.Stats().Sampler)
		}
	}
}

func sampled(tracer *tracerinit.Tracer, name string) (n int) {
	for range 100 {
		span := tracer.StartSpan(name)
		if span.Context().(jaeger.SpanContext).IsSampled() {
			n++
		}
		span.Finish()
	}
	return n
}

// TestStrategiesOverGRPC serves strategies on a port that says nothing about the protocol: HTTP is tried first.
func TestStrategiesOverGRPC(t *testing.T) {
	limited := message(3, varint(1, 3))
	for name, c := range map[string]struct {
		answer []byte
		want   map[string]int
	}{
		"probabilistic": {message(2, double(1, 1)), map[string]int{"x": 100}},
		"never":         {message(2), map[string]int{"x": 0}},
		"rate limiting": {append(varint(1, 1), limited...), map[string]int{"x": 3}},
		"operations": {
			append(
				message(2, double(1, 1)),
				message(4, double(1, 1), operation("none", 0), operation("all", 1), double(4, 9))...,
			),
			map[string]int{"none": 0, "all": 100, "x": 100},
		},
		"operations of a limited service": {
			append(
				append(varint(1, 1), limited...),
				message(4, double(1, 1), operation("none", 0), operation("all", 1))...,
			),
			map[string]int{"none": 0, "all": 100, "x": 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, addr := startSampling(t, c.answer, nil)
			lookup := func(name string) (string, bool) {
				v, ok := map[string]string{
					"OTEL_TRACES_SAMPLER": "parentbased_jaeger_remote",
					"OTEL_TRACES_SAMPLER_ARG": "endpoint=http://" + addr +
						",pollingIntervalMs=3600000,initialSamplingRate=0.5",
				}[name]
				return v, ok
			}
			tracer := startSampled(t, tracerinit.Config{LookupEnv: lookup})
			eventually(
				t, "a strategy", tracer,
				func(s tracerinit.SamplerStats) bool { return s.Changed == 1 && s.Failed == 0 },
			)
			for operation, want := range c.want {
				if got := sampled(tracer, operation); got != want {
					t.Errorf("%d of 100 traces of %s are sampled, want %d", got, operation, want)
				}
			}
			server.mu.Lock()
			defer server.mu.Unlock()
			if fmt.Sprint(server.asked) != "["+remotesampling.Method+" shop]" {
				t.Errorf("the server was asked %v", server.asked)
			}
		})
	}
}

func TestStrategiesOverHTTPAreLeftToHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"probabilisticSampling":{"samplingRate":1}}`)
	}))
	t.Cleanup(server.Close)
	tracer := startSampled(
		t, tracerinit.Config{Sampler: tracerinit.Remote(server.URL, tracerinit.RemoteOptions{Interval: time.Hour})},
	)
	eventually(t, "a strategy", tracer, func(s tracerinit.SamplerStats) bool { return s.Changed == 1 && s.Failed == 0 })
}

func TestStrategiesThatFailOverGRPC(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		err    error
		want   string
	}{
		"status":       {nil, status.Error(codes.Unimplemented, "no sampling here"), "Unimplemented: no sampling here"},
		"empty":        {nil, nil, "no strategy"},
		"malformed":    {[]byte{0x22, 0xff}, nil, "not the message"},
		"out of range": {message(2, double(1, 1.5)), nil, "not from 0 to 1"},
		"operations":   {message(4, message(3, message(1, []byte("x")))), nil, "has no strategy"},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := startSampling(t, c.answer, c.err)
			tracer := startSampled(t, tracerinit.Config{
				Sampler: tracerinit.Remote(
					"http://"+addr, tracerinit.RemoteOptions{Interval: time.Hour, Initial: tracerinit.Always()},
				),
			})
			eventually(t, "a failure", tracer, func(s tracerinit.SamplerStats) bool { return s.Failed > 0 })
			if got := tracer.Stats().Sampler.LastError; !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := sampled(tracer, "x"); got != 100 {
				t.Errorf("%d of 100 traces are sampled", got)
			}
		})
	}
}

// A server that takes connections and says nothing holds up neither Start nor Shutdown.
func TestASilentSamplingServerHoldsNothingUp(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lis.Close() })
	client, err := dialSampling(remotesampling.Target{HostPort: lis.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Call(ctx, nil); err == nil {
		t.Error("no error")
	}
}

// The ports that Jaeger serves strategies on over gRPC are known, so that nothing is sent to them by HTTP.
func TestPortsForGRPCNeedNoGuess(t *testing.T) {
	for _, port := range []string{"14250", "5779"} {
		t.Run(port, func(t *testing.T) {
			tracer := startSampled(t, tracerinit.Config{
				Sampler: tracerinit.Remote("http://127.0.0.1:"+port, tracerinit.RemoteOptions{Interval: time.Hour}),
			})
			eventually(t, "a failure", tracer, func(s tracerinit.SamplerStats) bool { return s.Failed > 0 })
			if got := tracer.Stats().Sampler.LastError; !strings.HasPrefix(got, "Unavailable: ") {
				t.Errorf("port %s: %s", port, got)
			}
		})
	}
}

// What a variable was meant to hold is named, as it is for HTTP.
func TestTargetsThatWereMeantOtherwise(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://2001:db8::1:4317": "write [2001:db8::1]:4317",
		"http://::1":              "write [2001:db8::1]:4317",
		"::1:4317":                "write [2001:db8::1]:4317",
		"http://$(HOST_IP):4317":  "was not replaced",
		`"http://collector:4317"`: "quotation marks",
		"'collector:4317'":        "quotation marks",
		"http://a b:4317":         "no path, query or user",
		"Authorization: Bearer x": "OTEL_EXPORTER_OTLP_ENDPOINT",
	} {
		t.Run(endpoint, func(t *testing.T) {
			env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
			_, err := tracerinit.Start(tracerinit.Config{
				Local: true, Logger: slog.New(slog.DiscardHandler),
				LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
			})
			if err == nil || !strings.Contains(err.Error(), want) ||
				!strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_ENDPOINT") {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}
