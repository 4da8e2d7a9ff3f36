package httpmw_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

const quotedSecret = "hunter2hunter2"

// quotes are texts with a secret, as libraries, frameworks and users write them.
var quotes = []string{
	"https://me:hunter2hunter2@b.example/x", "postgres://me:hunter2hunter2@db:5432/x", "redis://:hunter2hunter2@h:1",
	"https://b.example/cb#access_token=hunter2hunter2", "https://b.example/?user[password]=hunter2hunter2",
	"token=hunter2hunter2", "client_secret = hunter2hunter2", "password='hunter2hunter2'", "api_key: hunter2hunter2",
	"access%5Ftoken=hunter2hunter2", "token%3Dhunter2hunter2", `{"password":"hunter2hunter2"}`,
	"Authorization: Bearer hunter2hunter2", "X-Api-Key: hunter2hunter2", "Set-Cookie: x=hunter2hunter2; Path=/",
	"connect.sid=hunter2hunter2", "__Host-session=hunter2hunter2", "session_a8f3b2c9=hunter2hunter2",
	"wordpress_logged_in_0f3a9c77=hunter2hunter2", ".AspNetCore.Antiforgery.9TtSrW0hzOs=hunter2hunter2",
	"proxyconnect tcp: dial http://me:hunter2hunter2@p:1: refused",
}

// recorded is all the text of a span.
func recorded(span *mocktracer.MockSpan) string {
	var b strings.Builder
	fmt.Fprint(&b, span.OperationName, span.Tags())
	for _, log := range span.Logs() {
		for _, field := range log.Fields {
			fmt.Fprint(&b, field.Key, field.ValueString)
		}
	}
	return b.String()
}

// TestNoTextHoldsASecret: whatever a span quotes, it quotes without secrets.
func TestNoTextHoldsASecret(t *testing.T) {
	serve := func(tracer *spantest.Tracer, r *http.Request, h http.HandlerFunc) {
		defer func() { _ = recover() }()
		httpmw.Middleware(tracer, httpmw.WithSemconv(httpmw.Both), httpmw.WithHeaderTags([]string{"X-Quote"}, []string{"X-Quote"}))(h).
			ServeHTTP(httptest.NewRecorder(), r)
	}
	send := func(tracer *spantest.Tracer, resp *http.Response, err error) {
		resp, err = httpmw.Transport(tracer, roundTripper(func(*http.Request) (*http.Response, error) { return resp, err })).
			RoundTrip(httptest.NewRequest("GET", "http://b.example/", nil))
		if err == nil {
			_, _ = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
	}
	places := map[string]func(tracer *spantest.Tracer, quote string){
		"panic": func(tracer *spantest.Tracer, quote string) {
			serve(tracer, httptest.NewRequest("GET", "/", nil), func(http.ResponseWriter, *http.Request) { panic("failed: " + quote) })
		},
		"panic with an error": func(tracer *spantest.Tracer, quote string) {
			serve(tracer, httptest.NewRequest("GET", "/", nil), func(http.ResponseWriter, *http.Request) {
				panic(fmt.Errorf("failed: %w", errors.New(quote)))
			})
		},
		"user agent": func(tracer *spantest.Tracer, quote string) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", "curl/8 "+quote)
			serve(tracer, r, ok)
		},
		"long user agent": func(tracer *spantest.Tracer, quote string) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", strings.Repeat("x", 250-len(quote))+" "+quote+strings.Repeat(" x", 1000))
			serve(tracer, r, ok)
		},
		"headers": func(tracer *spantest.Tracer, quote string) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("X-Quote", quote)
			serve(tracer, r, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Quote", quote); w.WriteHeader(200) })
		},
		"error": func(tracer *spantest.Tracer, quote string) {
			send(tracer, nil, &url.Error{Op: "Get", URL: "https://b.example/", Err: errors.New(quote)})
		},
		"body": func(tracer *spantest.Tracer, quote string) {
			send(tracer, &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(failsWith{errors.New("read: " + quote)}))}, nil)
		},
	}
	for place, put := range places {
		t.Run(place, func(t *testing.T) {
			for _, quote := range quotes {
				t.Run(quote, func(t *testing.T) {
					tracer := spantest.New(t)
					put(tracer, quote)
					if text := recorded(one(t, tracer)); strings.Contains(text, quotedSecret[:7]) {
						t.Error(text)
					}
				})
			}
		})
	}
}

type failsWith struct{ err error }

func (f failsWith) Read([]byte) (int, error) { return 0, f.err }
