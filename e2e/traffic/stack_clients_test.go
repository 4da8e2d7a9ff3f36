package traffic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// flaky fails twice, and then answers; /down never does and /up always.
func flaky(w *world) http.Handler {
	var tries atomic.Int64
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n := tries.Add(1)
		w.saw("server", "%d %s %s %q", n, r.Method, r.URL, body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/down"), n%3 != 0 && r.URL.Path != "/up":
			rw.Header().Set("Retry-After", "0")
			rw.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(rw, "at last")
		}
	})
}

// TestRetryableHTTP with the kit below the retries, which makes a span of each, above them, and in both places.
func TestRetryableHTTP(t *testing.T) {
	for name, place := range map[string]struct{ below, above bool }{"below": {below: true}, "above": {above: true}, "both": {true, true}} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server := w.server(flaky(w))
				base := &http.Transport{}
				w.later(base.CloseIdleConnections)
				retries := retryablehttp.NewClient()
				retries.RetryMax, retries.RetryWaitMin, retries.RetryWaitMax, retries.Logger = 2, time.Nanosecond, time.Nanosecond, nil
				retries.HTTPClient = &http.Client{Transport: base}
				if place.below {
					retries.HTTPClient.Transport = w.transport(base)
				}
				client := retries.StandardClient()
				if place.above {
					client.Transport = w.transport(client.Transport)
				}
				req, _ := http.NewRequest(http.MethodPost, server.URL+"/flaky", strings.NewReader("body"))
				w.do(client, req)
				w.get(client, server.URL+"/down?access_token=secret")
			})
		})
	}
}

// tokens grants tokens, and refuses a wrong secret.
func tokens(w *world) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(rw http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		w.saw("server", "%s %s %s", r.FormValue("grant_type"), id, secret)
		rw.Header().Set("Content-Type", "application/json")
		if secret != "hunter2" {
			rw.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(rw, `{"error":"invalid_client"}`)
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"access_token": "t1", "token_type": "Bearer", "expires_in": 3600})
	})
	mux.HandleFunc("/api", func(rw http.ResponseWriter, r *http.Request) {
		w.saw("server", "api: %s", r.Header.Get("Authorization"))
		fmt.Fprint(rw, "data")
	})
	return mux
}

func TestOAuth2ClientsWorkAsBare(t *testing.T) {
	for name, above := range map[string]bool{"below": false, "above": true} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server := w.server(tokens(w))
				for _, secret := range []string{"hunter2", "wrong"} {
					config := clientcredentials.Config{
						ClientID: "me", ClientSecret: secret, TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInHeader,
					}
					base := &http.Transport{}
					w.later(base.CloseIdleConnections)
					var below http.RoundTripper = base
					if !above {
						below = w.transport(base)
					}
					client := config.Client(context.WithValue(w.t.Context(), oauth2.HTTPClient, &http.Client{Transport: below}))
					if above {
						client.Transport = w.transport(client.Transport)
					}
					w.get(client, server.URL+"/api")
					w.get(client, server.URL+"/api")
					resp, err := client.Get(server.URL + "/api")
					var refused *oauth2.RetrieveError
					if w.saw("client", "refused %v", errors.As(err, &refused)); err == nil {
						resp.Body.Close()
					}
				}
			})
		})
	}
}

// quietLogger logs nothing.
type quietLogger struct{}

func (quietLogger) Errorf(string, ...any) {}
func (quietLogger) Warnf(string, ...any)  {}
func (quietLogger) Debugf(string, ...any) {}

func TestRestyWorksAsBare(t *testing.T) {
	equal(t, func(w *world) {
		server := w.server(flaky(w))
		client := resty.NewWithClient(w.client(&http.Transport{})).SetBaseURL(server.URL).SetLogger(quietLogger{}).SetRetryCount(2).
			SetRetryWaitTime(time.Nanosecond).SetRetryMaxWaitTime(time.Nanosecond).
			AddRetryCondition(func(r *resty.Response, err error) bool { return err != nil || r.StatusCode() >= 500 })
		for _, path := range []string{"/flaky", "/down"} {
			resp, err := client.R().SetBody(map[string]int{"a": 1}).SetQueryParam("token", "secret").Post(path)
			if err != nil {
				w.t.Fatal(err)
			}
			w.saw("client", "%s %s after %d, %v", resp.Status(), resp, resp.Request.Attempt, fields(resp.Header()))
		}
		_, err := client.R().SetDoNotParseResponse(true).Get("http://127.0.0.1:1/")
		w.saw("client", "%v", withoutPorts(err.Error()))
		stream, err := client.R().SetDoNotParseResponse(true).Get("/up")
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := io.ReadAll(stream.RawBody())
		w.saw("client", "%q %v %v", body, err, stream.RawBody().Close())
	})
}

// A transport that sets Accept-Encoding itself, and decodes the body, works on both sides.
func TestCompressingTransportsWorkAsBare(t *testing.T) {
	text := strings.Repeat("compress me ", 1000)
	for name, above := range map[string]bool{"below": false, "above": true} {
		t.Run(name, func(t *testing.T) {
			equal(t, func(w *world) {
				server := w.server(gzhttp.GzipHandler(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, text) })))
				base := &http.Transport{}
				w.later(base.CloseIdleConnections)
				client := &http.Client{Transport: gzhttp.Transport(w.transport(base))}
				if above {
					client.Transport = w.transport(gzhttp.Transport(base))
				}
				w.get(client, server.URL)
			})
		})
	}
}

// TestErrorsOfClients: callers look into errors.
func TestErrorsOfClients(t *testing.T) {
	equal(t, func(w *world) {
		proxied := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1", User: url.UserPassword("me", "hunter2")})}
		for _, target := range []string{"http://me:hunter2@127.0.0.1:1/?token=secret", "foo://bar/", "http:///x", "https://127.0.0.1:1"} {
			_, err := w.client(proxied).Get(target)
			var failed *url.Error
			w.saw("client", "%v %v", withoutPorts(err.Error()), errors.As(err, &failed) && !failed.Timeout())
		}
	})
}
