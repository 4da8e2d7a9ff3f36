package tracerinit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/thrift"
	gen "github.com/uber/jaeger-client-go/thrift-gen/jaeger"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// quick retries often enough for a test.
var quick = tracerinit.Retry{Initial: time.Millisecond, Max: 5 * time.Millisecond, Limit: 20 * time.Second}

// line is a tracer before one exporter, without the rest of Start.
type line struct {
	*export.Pipeline
	*jaeger.Tracer
}

func (l line) Report(s *jaeger.Span) {
	var loader fromjaeger.Loader
	loader.Load(s)
	l.Enqueue(&loader.Span)
}
func (line) Close() {}

func open(t testing.TB, e tracerinit.Exporter, q tracerinit.Queue) line {
	t.Helper()
	env := export.Env{Process: &model.Process{Service: "storefront", Tags: []model.Tag{{Key: "host.name", Value: model.String("h1")}}}}
	p, err := tracerinit.StartPipeline(e, q, env)
	if err != nil {
		t.Fatal(err)
	}
	l := line{Pipeline: p}
	tracer, closer := jaeger.NewTracer("storefront", jaeger.NewConstSampler(true), l, testspans.Finished(t))
	l.Tracer = tracer.(*jaeger.Tracer)
	t.Cleanup(func() {
		closer.Close()
		p.Shutdown(ended())
	})
	return l
}

func (l line) make(n int) {
	for i := range n {
		l.StartSpan(fmt.Sprintf("span %d", i)).SetTag("n", i).Finish()
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// backend is an HTTP server that keeps the spans' names of what it answers with 2xx.
type backend struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request) // may write an answer; nil: 200

	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte // uncompressed
	accepted [][]byte // those of them answered by 2xx
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func newBackend(t testing.TB, answer func(w http.ResponseWriter, r *http.Request)) *backend {
	b := &backend{answer: answer}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.requests = append(b.requests, r)
	b.bodies = append(b.bodies, body)
	b.mu.Unlock()
	sw := &statusWriter{w, http.StatusOK}
	if b.answer != nil {
		b.answer(sw, r)
	}
	if sw.code/100 == 2 {
		b.mu.Lock()
		b.accepted = append(b.accepted, body)
		b.mu.Unlock()
	}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (b *backend) seen() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// names returns the operation names of the spans accepted, read by decode.
func (b *backend) names(t testing.TB, decode func(testing.TB, []byte) []string) (names []string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.accepted {
		names = append(names, decode(t, body)...)
	}
	return names
}

func otlpNames(t testing.TB, body []byte) (names []string) {
	t.Helper()
	var data tracepb.TracesData // has the fields of ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &data); err != nil {
		t.Fatal(err)
	}
	for _, rs := range data.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func thriftNames(t testing.TB, body []byte) (names []string) {
	t.Helper()
	buf := thrift.NewTMemoryBuffer()
	buf.Write(body)
	var batch gen.Batch
	if err := batch.Read(context.Background(), thrift.NewTBinaryProtocolConf(buf, nil)); err != nil {
		t.Fatal(err)
	}
	for _, s := range batch.Spans {
		names = append(names, s.OperationName)
	}
	return names
}

func wantNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("span %d", i))
	}
	return names
}

func TestSecretsNeverPrint(t *testing.T) {
	s := tracerinit.Secret("hunter2")
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "a", s, "b", struct{ S tracerinit.Secret }{s})
	asJSON, err := json.Marshal(map[string]any{"s": s, "t": struct{ S tracerinit.Secret }{s}})
	if err != nil {
		t.Fatal(err)
	}
	wrong := "%d"
	all := fmt.Sprintf(wrong, s) + fmt.Sprintf("%v %s %q %#v %+v %v %+v %#v %x", s, s, s, s, s, struct{ S tracerinit.Secret }{s}, &struct{ S tracerinit.Secret }{s}, []tracerinit.Secret{s}, s) +
		logged.String() + string(asJSON)
	if strings.Contains(all, "hunter2") || strings.Contains(all, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the secret is in %s", all)
	}
	if !strings.Contains(all, "***") || string(s) != "hunter2" {
		t.Errorf("want *** and the secret by conversion: %s", all)
	}
}
