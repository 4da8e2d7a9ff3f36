package e2e

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// collector keeps what it gets by OTLP.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	scopes []*tracepb.ScopeSpans
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(r.Body); err != nil {
				t.Error(err)
				return
			}
		}
		raw, err := io.ReadAll(body)
		var req collectorpb.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(raw, &req) != nil {
			t.Error("no OTLP")
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rs := range req.ResourceSpans {
			c.scopes = append(c.scopes, rs.ScopeSpans...)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// received is a span with its scope.
type received struct {
	*tracepb.Span
	scope  *commonpb.InstrumentationScope
	schema string
}

// bridge starts a tracer that exports to the collector, and a bridge around it. flush sends what has ended.
func (c *collector) bridge(t *testing.T) (b *otelbridge.Bridge, flush func()) {
	t.Helper()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, LookupEnv: func(string) (string, bool) { return "", false },
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(c.URL)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close() })
	return otelbridge.New(tracer), func() {
		t.Helper()
		if err := tracer.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
