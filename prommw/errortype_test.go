package prommw_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// decide returns an outcome hook that decides whether the request failed.
func decide(isError bool) httpmw.Option {
	return httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) { o.IsError = isError })
}

// TestErrorTypesAreThoseOfFailures as the spans have them, whoever decides what a failure is. What a client gave up is
// none, and has a type of its own.
func TestErrorTypesAreThoseOfFailures(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for name, tt := range map[string]struct {
		opts    []httpmw.ServerOption
		ctx     context.Context
		handler http.HandlerFunc
		want    string
	}{
		"fine":                        {nil, nil, answer(200), ""},
		"the caller's mistake":        {nil, nil, answer(404), ""},
		"failed":                      {nil, nil, answer(500), "500"},
		"failed, which is expected":   {[]httpmw.ServerOption{decide(false)}, nil, answer(503), ""},
		"a mistake, which is a bug":   {[]httpmw.ServerOption{decide(true)}, nil, answer(404), "_OTHER"},
		"panicked, which is expected": {[]httpmw.ServerOption{decide(false)}, nil, func(http.ResponseWriter, *http.Request) { panic("oh") }, ""},
		"given up":                    {nil, gone, answer(200), "aborted"},
		"given up, which is a bug":    {[]httpmw.ServerOption{decide(true)}, gone, answer(200), "context_canceled"},
	} {
		t.Run("server, "+name, func(t *testing.T) {
			tracer, _ := start(t, tracerinit.Always(), false)
			for limit, want := range map[int]string{0: tt.want, -1: overflowOf(tt.want)} {
				t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
					m := prommw.New(prommw.Config{MaxSeries: limit})
					r := httptest.NewRequest("GET", "/", nil)
					if tt.ctx != nil {
						r = r.WithContext(tt.ctx)
					}
					opts := append([]httpmw.ServerOption{m.HTTPServer()}, tt.opts...) // hooks decide wherever they stand
					func() {
						defer func() { _ = recover() }()
						httpmw.Middleware(tracer, opts...)(tt.handler).ServeHTTP(httptest.NewRecorder(), r)
					}()
					checkErrorType(t, m, "http_server_request_duration_seconds", want)
				})
			}
		})
	}
}

// overflowOf returns the type of error of what is over the limit.
func overflowOf(errorType string) string {
	if errorType == "" || errorType == "aborted" {
		return ""
	}
	return "_OTHER"
}

func checkErrorType(t *testing.T, m *prommw.Metrics, family, want string) {
	t.Helper()
	got := gather(t, m, family)
	if len(got) != 1 || label(got[0], "error_type") != want {
		t.Errorf("got %v, want error_type %q", got, want)
	}
}

func TestErrorTypesOfTransports(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	failed := errors.New("no route")
	for name, tt := range map[string]struct {
		opts   []httpmw.ClientOption
		ctx    context.Context
		status int
		err    error
		want   string
	}{
		"fine":                      {nil, context.Background(), 204, nil, ""},
		"status":                    {nil, context.Background(), 404, nil, "404"},
		"failed":                    {nil, context.Background(), 0, failed, "*errors.errorString"},
		"failed, which is expected": {[]httpmw.ClientOption{decide(false)}, context.Background(), 0, failed, ""},
		"given up":                  {nil, gone, 0, context.Canceled, "aborted"},
		"out of time":               {nil, context.Background(), 0, context.DeadlineExceeded, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, _ := start(t, tracerinit.Always(), false)
			m := prommw.New(prommw.Config{})
			base := roundTrip(func(r *http.Request) (*http.Response, error) {
				if tt.err != nil {
					return nil, tt.err
				}
				return &http.Response{StatusCode: tt.status, Body: http.NoBody, Request: r}, nil
			})
			r := httptest.NewRequest("GET", "http://a.example/", nil).WithContext(tt.ctx)
			httpmw.Transport(tracer, base, append(tt.opts, m.HTTPClient())...).RoundTrip(r)
			checkErrorType(t, m, "http_client_request_duration_seconds", tt.want)
		})
	}
}
