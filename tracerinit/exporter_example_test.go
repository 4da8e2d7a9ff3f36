package tracerinit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// report makes one span and prints what became of it.
func report(e tracerinit.Exporter) {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "storefront", Exporters: []tracerinit.Exporter{e}, Local: true, LookupEnv: noEnv,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tracer.StartSpan("checkout").Finish()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	tracer.Shutdown(ctx)
	s := tracer.Stats().Exporters[0]
	if s.LastError != "" {
		host := strings.TrimSuffix(strings.TrimPrefix(s.Endpoint, "http://"), "/***")
		fmt.Println(strings.ReplaceAll(s.LastError, host, "HOST"))
	}
	fmt.Printf("%s: %d delivered, %d refused\n", s.Name, s.Delivered, s.Dropped.Refused)
}

func ExampleOTLPHTTP() {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}))
	defer collector.Close()
	report(tracerinit.OTLPHTTP(collector.URL))
	// Output:
	// POST /v1/traces application/x-protobuf
	// otlp/http: 1 delivered, 0 refused
}

// An endpoint from a vendor's console is used as it is. The token in its path is in no error.
func ExampleOTLPHTTP_vendor() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/adapt_aaa@bbb_ccc@ddd/api/otlp/traces" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer vendor.Close()
	report(tracerinit.OTLPHTTP(vendor.URL + "/adapt_aaa@bbb_ccc@ddd/api/otlp/traces"))
	report(tracerinit.OTLPHTTP(vendor.URL + "/adapt_mistyped_token/api/otlp/traces"))
	// Output:
	// otlp/http: 1 delivered, 0 refused
	// otlp/http: 403 Forbidden from HOST
	// otlp/http: 0 delivered, 1 refused
}

func ExampleJaegerHTTP() {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Content-Type"), "from", user)
	}))
	defer collector.Close()
	report(tracerinit.JaegerHTTP(collector.URL, tracerinit.WithBasicAuth("shop", "password")))
	// Output:
	// POST /api/traces application/x-thrift from shop
	// jaeger/http: 1 delivered, 0 refused
}

func ExampleJaegerUDP() {
	agent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer agent.Close()
	report(tracerinit.JaegerUDP(agent.LocalAddr().String()))
	// Output:
	// jaeger/udp: 1 delivered, 0 refused
}

// wordThree writes the name of the span in each line, which is its third word.
type wordThree struct{}

func (wordThree) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		fmt.Println(strings.Fields(line)[2])
	}
	return len(p), nil
}

func ExampleConsole() {
	report(tracerinit.Console(wordThree{})) // os.Stderr, say
	// Output:
	// "checkout"
	// console: 1 delivered, 0 refused
}

func ExampleSecret() {
	token := tracerinit.Secret("hunter2")
	fmt.Println(token)
	fmt.Printf("%q %+v\n", token, struct{ Token tracerinit.Secret }{token})
	json.NewEncoder(os.Stdout).Encode(map[string]any{"token": token})
	fmt.Println(len(string(token)))
	// Output:
	// ***
	// *** {Token:***}
	// {"token":"***"}
	// 7
}

// jsonLines is an exporter that appends spans to a file, one JSON object in each line.
type jsonLines struct{ path string }

func (jsonLines) Name() string       { return "jsonlines" }
func (j jsonLines) Endpoint() string { return j.path }

func (j jsonLines) Open(tracerinit.Process) (tracerinit.Sender, error) {
	file, err := os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &jsonLinesSender{file}, nil
}

type jsonLinesSender struct{ *os.File }

func (*jsonLinesSender) AppendSpan(dst []byte, s *tracerinit.Span) []byte {
	tags := map[string]any{}
	for _, t := range s.Tags {
		tags[t.Key] = t.Value
	}
	line, err := json.Marshal(map[string]any{"trace": s.TraceID, "name": s.Name, "tags": tags})
	if err != nil { // such as a tag that is not a number
		line = fmt.Appendf(nil, `{"trace":%q,"error":%q}`, s.TraceID, err)
	}
	return append(append(dst, line...), '\n')
}

func (s *jsonLinesSender) Send(_ context.Context, spans [][]byte) error {
	_, err := s.Write(bytes.Join(spans, nil))
	return err
}

// An exporter of your own encodes each span as it ends, and sends what is encoded in batches. Queue, retries, accounting
// and Shutdown are those of every exporter.
func ExampleExporter() {
	dir, err := os.MkdirTemp("", "spans")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "spans.jsonl")

	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "storefront", Local: true, Exporters: []tracerinit.Exporter{jsonLines{path}},
		Sampler: tracerinit.Always(),
	})
	if err != nil {
		log.Fatal(err)
	}
	span := tracer.StartSpan("GET /cart", opentracing.ChildOf(caller(tracer)))
	span.SetTag("http.status_code", 200)
	span.Finish()
	tracer.Close()

	lines, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(lines))
	// Output:
	// {"name":"GET /cart","tags":{"http.status_code":200},"trace":"4bf92f3577b34da6a3ce929d0e0e4736"}
}

// caller is the context of a request that came in.
func caller(tracer opentracing.Tracer) opentracing.SpanContext {
	sc, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier{
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return sc
}
