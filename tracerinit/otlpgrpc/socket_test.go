package otlpgrpc

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spanloom/spanloom/tracerinit"
)

// A unix socket is spoken to without TLS, however the variables write it.
func TestASocketOfTheEnvironmentNeedsNoTLS(t *testing.T) {
	for _, scheme := range []string{"unix://", "unix:", "UNIX://"} {
		for _, variable := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
			t.Run(scheme+" "+variable, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "s")
				lis, err := net.Listen("unix", path)
				if err != nil {
					t.Fatal(err)
				}
				c := newCollectorOn(t, lis, nil)
				env := map[string]string{variable: scheme + path, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
				tracer, err := tracerinit.Start(tracerinit.Config{
					Local: true, Logger: slog.New(slog.DiscardHandler),
					LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
				})
				if err != nil {
					t.Fatal(err)
				}
				defer tracer.Close()
				tracer.StartSpan("x").Finish()
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if err := tracer.Flush(ctx); err != nil {
					t.Fatal(err)
				}
				c.mu.Lock()
				defer c.mu.Unlock()
				if !slices.Equal(c.names, []string{"x"}) {
					t.Errorf("arrived: %v, %+v", c.names, tracer.Stats().Exporters)
				}
			})
		}
	}
}
