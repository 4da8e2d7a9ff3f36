package tracerinit_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/testcert"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestCertificatesAreReadAgainWhenTheyChange(t *testing.T) {
	first, second := testcert.New(t, "first"), testcert.New(t, "second")
	files := testcert.NewFiles(t)
	files.Install(t, first)
	var config atomic.Pointer[tls.Config]
	var issuer atomic.Value // of the client's certificate
	config.Store(first.Mutual(t))
	b := &backend{answer: func(w http.ResponseWriter, r *http.Request) {
		issuer.Store(r.TLS.PeerCertificates[0].Issuer.CommonName)
	}}
	b.Server = httptest.NewUnstartedServer(b)
	b.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.Load(), nil }}
	b.StartTLS()
	defer b.Close()
	var log logBuffer
	tracer := start(t, tracerinit.Config{Logger: log.Logger(), LookupEnv: env("OTEL_EXPORTER_OTLP_ENDPOINT="+b.URL,
		"OTEL_EXPORTER_OTLP_CERTIFICATE="+files.Roots, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE="+files.Cert,
		"OTEL_EXPORTER_OTLP_CLIENT_KEY="+files.Key)})
	send := func(want uint64) {
		t.Helper()
		tracer.StartSpan("x").Finish()
		tracer.Flush(within(t, time.Minute))
		if s := tracer.Stats().Exporters[0]; s.Delivered != want {
			t.Errorf("delivered %d, want %d: %+v", s.Delivered, want, s)
		}
	}
	send(1)
	_, otherKey := second.Issue(t, "client")
	testcert.Replace(t, files.Key, otherKey) // in the middle of a renewal the pair does not match
	send(2)
	if said := log.String(); !strings.Contains(said, "last good ones stay") {
		t.Errorf("%q", said)
	}
	files.Install(t, second)
	config.Store(second.Mutual(t))
	send(3)
	if got := issuer.Load(); got != "second" {
		t.Errorf("the client's certificate is from %v", got)
	}
	tracer.Close()
}
