package export_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/export"
)

// receiver is a backend in HTTP that remembers what it was sent.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request) // nil: takes all

	mu      sync.Mutex
	headers []http.Header
	bodies  []string // as they are without compression
	peers   map[string]bool
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	r := &receiver{answer: answer, peers: map[string]bool{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body io.Reader = req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(req.Body)
	}
	b, _ := io.ReadAll(body)
	r.mu.Lock()
	r.headers, r.bodies = append(r.headers, req.Header), append(r.bodies, string(b))
	r.peers[req.RemoteAddr] = true
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, req)
	}
}

// poster sends to r; change may be nil.
func (r *receiver) poster(t *testing.T, change func(*export.PostConfig)) *export.Poster {
	t.Helper()
	u, err := url.Parse(r.URL + "/v1/traces")
	if err != nil {
		t.Fatal(err)
	}
	c := export.PostConfig{
		Remote: export.Remote{Name: "test/http", Host: u.Host}, URL: u, ContentType: "application/x-test",
		Proxy:    func(*http.Request) (*url.URL, error) { return nil, nil },
		Retry:    func(code int) bool { return code == 429 || code >= 502 },
		GRPCHint: "use the other exporter",
	}
	if change != nil {
		change(&c)
	}
	p := export.NewPoster(c)
	t.Cleanup(p.Close)
	return p
}

func TestPosterSendsTheBatchAsItIsSetUp(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "taken") })
	for name, tt := range map[string]struct {
		change func(*export.PostConfig)
		want   map[string]string
	}{
		"usual": {nil, map[string]string{"Content-Type": "application/x-test", "User-Agent": "spanloom", "Authorization": "", "Content-Encoding": ""}},
		"own headers": {func(c *export.PostConfig) {
			c.Header = http.Header{"User-Agent": {"mine"}, "Content-Type": {"a/b"}, "X": {"1"}}
		}, map[string]string{"Content-Type": "a/b", "User-Agent": "mine", "X": "1"}},
		"user in the URL": {func(c *export.PostConfig) { c.URL.User = url.UserPassword("me", "pass") },
			map[string]string{"Authorization": "Basic bWU6cGFzcw=="}},
		"a header wins over the user": {func(c *export.PostConfig) {
			c.URL.User, c.Header = url.UserPassword("me", "pass"), http.Header{"Authorization": {"Bearer x"}}
		}, map[string]string{"Authorization": "Bearer x"}},
		"compressed": {func(c *export.PostConfig) { c.Gzip = export.GzipAlways }, map[string]string{"Content-Encoding": "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, n := r.poster(t, tt.change), len(r.bodies)
			for _, batch := range []string{"first batch", "second"} {
				if reply, err := p.Post(t.Context(), []byte(batch)); err != nil || string(reply) != "taken" {
					t.Fatalf("%q, %v", reply, err)
				}
			}
			if got := strings.Join(r.bodies[n:], ", "); got != "first batch, second" {
				t.Errorf("received %q", got)
			}
			for key, want := range tt.want {
				if got := r.headers[n].Get(key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
		})
	}
}

// TestStatusesDecideWhatBecomesOfABatch: whether it is sent again, when, and whether it may be the cause.
func TestStatusesDecideWhatBecomesOfABatch(t *testing.T) {
	const pause = 7 * time.Second
	for name, tt := range map[string]struct {
		code     int
		body     string
		suspect  bool
		retry    *export.RetryError // nil: not sent again
		tooLarge bool
	}{
		"refused":              {code: 400},
		"no such path":         {code: 404},
		"internal error":       {code: 500, suspect: true},
		"busy":                 {code: 429, retry: &export.RetryError{After: pause}},
		"unavailable":          {code: 503, retry: &export.RetryError{After: pause}},
		"a gateway":            {code: 502, retry: &export.RetryError{After: pause, Others: true}},
		"a slow gateway":       {code: 504, retry: &export.RetryError{After: pause, Others: true}},
		"a batch that crashes": {code: 503, suspect: true, retry: &export.RetryError{After: pause, Suspect: true}},
		"busy, no batch's":     {code: 429, suspect: true, retry: &export.RetryError{After: pause}},
		"too large":            {code: 413, tooLarge: true},
		"too large in words":   {code: 400, body: "http: request body too large", tooLarge: true},
		"words of a success":   {code: 302, body: "the body is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(tt.code)
				io.WriteString(w, tt.body)
			})
			reply, err := r.poster(t, func(c *export.PostConfig) { c.Suspect = tt.suspect }).Post(t.Context(), []byte("x"))
			if err == nil || reply != nil {
				t.Fatalf("%q, %v", reply, err)
			}
			var retry *export.RetryError
			if errors.As(err, &retry) != (tt.retry != nil) {
				t.Fatalf("%#v", err)
			}
			if retry != nil && (retry.After != tt.retry.After || retry.Others != tt.retry.Others || retry.Suspect != tt.retry.Suspect) {
				t.Errorf("%+v, want %+v", *retry, *tt.retry)
			}
			if errors.As(err, new(*export.TooLargeError)) != tt.tooLarge {
				t.Errorf("too large: %#v", err)
			}
		})
	}
}

// TestAContentTypeThatDoesNotFitTheBodyIsNamed has one that was copied from a program that sends JSON.
func TestAContentTypeThatDoesNotFitTheBodyIsNamed(t *testing.T) {
	for contentType, named := range map[string]bool{"application/json": true, "Application/X-Test; a=b": false, "": false} {
		t.Run("Content-Type "+contentType, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) })
			p := r.poster(t, func(c *export.PostConfig) { c.Header = http.Header{"Content-Type": {contentType}} })
			_, err := p.Post(t.Context(), []byte("x"))
			if err == nil || strings.Contains(err.Error(), "Content-Type that is configured is not application/x-test") != named {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestErrorsOfAPosterSayWhy has the reasons that backends give, and what the kit adds to them.
func TestErrorsOfAPosterSayWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		code              int
		contentType, body string
		want              string
	}{
		"text":             {400, "text/plain", "no tenant\n\tfor you", ": 400 Bad Request from HOST: no tenant for you"},
		"JSON":             {403, "application/json", `{"code":7,"message":"quota"}`, ": 403 Forbidden from HOST: quota"},
		"nested JSON":      {403, "application/json", `{"error":{"message":"quota"}}`, ": 403 Forbidden from HOST: quota"},
		"a list in JSON":   {403, "application/json", `{"errors":["first","second"]}`, ": 403 Forbidden from HOST: first"},
		"a page":           {403, "text/html", "<html><title>Log in</title>", ": 403 Forbidden from HOST: Log in"},
		"bytes":            {400, "", "\xff\xfe\x00", ": 400 Bad Request from HOST"},
		"a success's page": {200, "text/html", "<html>", ": 200 OK from HOST (an HTML page"},
		"health of Jaeger": {200, "application/json", `{"status":"Server available","upSince":"2026-03-01T12:00:00Z","uptime":"1h2m"}`, ": 200 OK from HOST (a report of health"},
		"no such method":   {405, "", "", "(are the port and the path of the endpoint right?)"},
		"a redirect":       {302, "", "", "(a redirect, which is not followed"},
		"no such path":     {404, "", "", "(is the path of the endpoint right?)"},
		"gRPC":             {415, "application/grpc", "", "(this looks like a gRPC port: use the other exporter)"},
		"TLS":              {400, "", "Client sent an HTTP request to an HTTPS server.", "write https:// instead of http://"},
		"a long reason":    {400, "", strings.Repeat("long ", 1000), "long long"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.contentType}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.code)
				io.WriteString(w, tt.body)
			})
			_, err := r.poster(t, nil).Post(t.Context(), []byte("x"))
			want := strings.ReplaceAll(tt.want, "HOST", r.Listener.Addr().String())
			if err == nil || !strings.HasPrefix(err.Error(), "test/http: ") || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
				t.Errorf("%v, want %q in it", err, want)
			}
			if n := len(r.bodies); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}
