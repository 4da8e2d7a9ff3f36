// Package deploy_test checks the files in examples/deploy with a real collector, and with servers that stand for
// vendors.
package deploy_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/ports"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"

	_ "github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

var deploy = filepath.Join(proc.Root(), "..", "examples", "deploy")

func read(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{deploy}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collector.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func collector(t *testing.T) string {
	t.Helper()
	return proc.Build(t, "collectord", ".", "collectord")
}

// TestTheCollectorTakesItsConfigurations runs the collector's own validate. Its exporter that balances by trace id is
// not to be had here: in the agent's file one exporter to one gateway stands for it.
func TestTheCollectorTakesItsConfigurations(t *testing.T) {
	path := collector(t)
	validate := func(t *testing.T, text string) error {
		cmd := exec.Command(path, "validate", "--config="+write(t, text))
		cmd.Env = append(os.Environ(), "BACKEND=jaeger:4317", "ALIBABA_HOST=localhost", "ALIBABA_TOKEN=t")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return err
	}
	balancing := regexp.MustCompile(`(?s)  loadbalancing:\n.*?\n\n`)
	for _, name := range []string{"single", "gateway", "agent", "alibaba"} {
		t.Run(name, func(t *testing.T) {
			text := read(t, "collector", name+".yaml")
			if name == "agent" {
				text = balancing.ReplaceAllString(
					text, "  otlp: {endpoint: \"collector-gateway:4317\", tls: {insecure: true}}\n\n",
				)
				text = strings.ReplaceAll(text, "[loadbalancing]", "[otlp]")
			}
			if err := validate(t, text); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a wrong one", func(t *testing.T) {
		if validate(t,
			strings.Replace(read(t, "collector", "single.yaml"), "decision_wait", "decision_delay", 1)) == nil {
			t.Error("validate takes anything")
		}
	})
}

// TestTailSamplingKeepsErrorsAndSlowTraces sends traces of three kinds through the collector of compose.yaml.
func TestTailSamplingKeepsErrorsAndSlowTraces(t *testing.T) {
	backend := sink.NewGRPC(t)
	addr := ports.Free(t, 2)
	text := read(t, "collector", "single.yaml")
	for from, to := range map[string]string{
		"0.0.0.0:4317": addr[0], "0.0.0.0:4318": addr[1], "decision_wait: 10s": "decision_wait: 1s",
		"sampling_percentage: 10": "sampling_percentage: 0",
	} {
		if !strings.Contains(text, from) {
			t.Fatalf("single.yaml has no %s", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	text = strings.Replace(text, "service:\n", "service:\n  telemetry: {metrics: {level: none}}\n", 1)
	p := proc.Start(t, collector(t), []string{"BACKEND=" + backend.Addr}, "--config="+write(t, text))
	p.Line("Everything is ready")

	tracer := start(
		t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + addr[0], "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
	)
	begin := time.Now().Add(-time.Minute)
	trace := func(took time.Duration, failed bool) string {
		root := tracer.StartSpan("GET /", opentracing.StartTime(begin))
		child := tracer.StartSpan("SELECT", opentracing.ChildOf(root.Context()), opentracing.StartTime(begin))
		if failed {
			ext.Error.Set(child, true)
		}
		child.FinishWithOptions(opentracing.FinishOptions{FinishTime: begin.Add(took / 2)})
		root.FinishWithOptions(opentracing.FinishOptions{FinishTime: begin.Add(took)})
		return carrier.TraceID(root.Context())
	}
	for range 20 {
		trace(10*time.Millisecond, false)
	}
	kept := map[string]bool{trace(10*time.Millisecond, true): true, trace(2*time.Second, false): true}
	flush(t, tracer)
	wait.For(t, "two traces of two spans", func() (any, bool) {
		return backend.IDs(), backend.Len() >= 4
	})
	for _, id := range backend.IDs() {
		trace, _, _ := strings.Cut(id, "/")
		if !kept[trace] {
			t.Errorf("trace %s arrived, though it is neither slow nor failed", trace)
		}
	}
	if backend.Len() != 4 {
		t.Errorf("%d spans arrived, want 4", backend.Len())
	}
}

// TestAlibabasEndpointsWorkAsTheyAreWritten reads the variables of each file, with a server of this test as host.
func TestAlibabasEndpointsWorkAsTheyAreWritten(t *testing.T) {
	const host = "tracing-analysis-dc-hz.aliyuncs.com"
	for name, want := range map[string]string{
		"otlp-http": "/adapt_TOKEN/api/otlp/traces", "jaeger-http": "/adapt_TOKEN/api/traces", "otlp-grpc": "TOKEN",
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			var addr string
			if name == "otlp-grpc" {
				addr = grpcVendor(t, got)
			} else {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					got <- r.URL.Path
				}))
				t.Cleanup(server.Close)
				addr = server.Listener.Addr().String()
			}
			variables := map[string]string{}
			for line := range strings.Lines(read(t, "alibaba", name+".env")) {
				if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
					v = strings.ReplaceAll(v, host+":8090", addr)
					variables[k] = strings.ReplaceAll(v, host, addr)
				}
			}
			tracer := start(t, variables)
			tracer.StartSpan("op").Finish()
			flush(t, tracer)
			if path := <-got; path != want {
				t.Errorf("the vendor got %q, want %q", path, want)
			}
			if s := tracer.Stats().Exporters[0]; s.Delivered != 1 || strings.Contains(s.Endpoint, "TOKEN") {
				t.Errorf("%+v", s)
			}
		})
	}
}

// grpcVendor takes any RPC and sends the token it came with.
func grpcVendor(t *testing.T, got chan<- string) string {
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(stream.Context())
		got <- strings.Join(md.Get("authentication"), ",")
		return stream.SendMsg(new(empty))
	}), grpc.ForceServerCodecV2(codec{}))
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(lis)
	t.Cleanup(server.Stop)
	return lis.Addr().String()
}

// TestEveryVariableInTheFilesIsDocumented looks for variables that the kit does not read, such as misspelt ones.
func TestEveryVariableInTheFilesIsDocumented(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(proc.Root(), "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\b(OTEL|JAEGER)_[A-Z0-9_]+[A-Z0-9]\b`)
	found := 0
	check := func(name, text string) {
		for _, v := range variable.FindAllString(text, -1) {
			found++
			if !strings.Contains(string(document), "`"+v+"`") && v != "JAEGER_LISTEN_HOST" &&
				!strings.HasSuffix(v, "JAEGER_AGENT_PORT") {
				t.Errorf("%s: %s is not in docs/configuration.md", name, v)
			}
		}
	}
	err = filepath.WalkDir(deploy, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			check(path, read(t, strings.TrimPrefix(path, deploy)))
		}
		return err
	})
	if err != nil || found < 10 {
		t.Errorf("%d variables, %v", found, err)
	}
	check("docs/deploying.md", read(t, "..", "..", "docs", "deploying.md"))
}

func start(t *testing.T, variables map[string]string) *tracerinit.Tracer {
	t.Helper()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "deploy", Local: true, Logger: slog.New(slog.DiscardHandler),
		LookupEnv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Close() })
	return tracer
}

func flush(t *testing.T, tracer *tracerinit.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := tracer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}
