// Package spanview_test sends spans to cmd/spanview with the stock clients of another language.
package spanview_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/spanloom/spanloom/e2e/internal/npm"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// TestClientsOfNodeSendToSpanview sends a span by OTLP over HTTP as JSON and as protobuf, by OTLP over gRPC, by Zipkin's JSON and by
// Jaeger's agent, with clients from npm as they come.
func TestClientsOfNodeSendToSpanview(t *testing.T) {
	npm.Need(t, "node", "npm")
	client := npm.Install(t, "client")
	bin := proc.Build(t, "..", "./cmd/spanview", "spanview")
	args := []string{}
	for _, port := range []string{"page", "otlp-http", "otlp-grpc", "jaeger-http", "jaeger-compact", "jaeger-binary", "jaeger-sampling", "zipkin"} {
		args = append(args, "-"+port, "127.0.0.1:0")
	}
	p := proc.Start(t, bin, nil, args...)
	address := func(title string) string {
		line := p.Line(title)
		return strings.TrimSpace(line[strings.Index(line, "://")+len("://"):])
	}
	page := "http://" + address("spanview: page ")
	otlpHTTP := "http://" + address("spanview: OTLP over HTTP ")
	zipkin := "http://" + strings.TrimSuffix(address("spanview: Zipkin JSON over HTTP "), "/api/v2/spans")
	otlpGRPC := "http://" + address("spanview: OTLP over gRPC ")
	_, jaegerPort, _ := strings.Cut(address("spanview: Jaeger agent, binary "), ":")

	cmd := exec.Command("node", "send.js")
	cmd.Dir = client
	cmd.Env = append(os.Environ(), "OTLP_HTTP="+otlpHTTP, "OTLP_GRPC="+otlpGRPC, "ZIPKIN="+zipkin, "JAEGER_PORT="+jaegerPort)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "all sent") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"json", "proto", "grpc", "zipkin", "jaeger"} {
		t.Run(name, func(t *testing.T) {
			wait.For(t, "the span by "+name, func() (any, bool) {
				resp, err := http.Get(page + "/?q=service%3Dnode-" + name)
				if err != nil {
					return err, false
				}
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				return string(body), strings.Contains(string(body), "span by "+name)
			})
		})
	}
	p.Signal(syscall.SIGTERM)
	if code, err := p.Exit(wait.Patience); err != nil || code != 0 {
		t.Errorf("after SIGTERM: exit status %d, %v", code, err)
	}
}
