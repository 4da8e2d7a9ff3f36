package traffic_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/sse"
	"github.com/go-chi/chi/v5"
	chicors "github.com/go-chi/cors"
	"github.com/go-chi/httplog/v3"
	"github.com/go-chi/httprate"
	"github.com/go-chi/jwtauth/v5"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"
)

func TestMiddlewaresOfOthersWorkAsBare(t *testing.T) {
	preflight := request{method: http.MethodOptions, path: "/", header: []string{
		"Origin", "http://o.example", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-a"}}
	token := "Bearer " + jwt()
	runStacks(t, []stack{
		{"gzhttp", gzStack, []request{
			get("/large", "Accept-Encoding", "gzip"), get("/small", "Accept-Encoding", "gzip"), get("/large", "Accept-Encoding", "identity"),
			get("/flushed", "Accept-Encoding", "gzip"), get("/large"), {method: http.MethodHead, path: "/large"},
		}},
		{"rs-cors", corsStack, []request{preflight, get("/", "Origin", "http://o.example"), get("/", "Origin", "http://evil.example"), get("/")}},
		{"chi-cors", chiCORSStack, []request{preflight, get("/", "Origin", "http://o.example"), get("/", "Origin", "http://evil.example"), get("/")}},
		{"scs", sessionStack, []request{get("/put"), get("/get"), get("/flush"), get("/destroy")}},
		{"promhttp", prometheusStack, []request{get("/work"), get("/fail"), post("/work", "12345"), get("/metrics")}},
		{"httplog", httplogStack, []request{get("/"), post("/", `{"a":1}`), get("/fail"), get("/panic"), get("/nowhere")}},
		{"httprate", rateStack, []request{get("/"), get("/"), get("/"), get("/other")}},
		{"jwtauth", jwtStack, []request{get("/"), get("/", "Authorization", token), get("/", "Authorization", "Bearer wrong"), get("/", "Cookie", "jwt=x")}},
		{"huma-chi", humaStack(func(mux *chi.Mux) huma.API { return humachi.New(mux, huma.DefaultConfig("T", "1")) }), humaRequests},
		{"huma-go", humaMuxStack, humaRequests},
	})
}

func gzStack(_ *world, use func(http.Handler) http.Handler) http.Handler {
	text := strings.Repeat("compress me ", 1000)
	return use(gzhttp.GzipHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/plain")
		switch r.URL.Path {
		case "/small":
			fmt.Fprint(rw, "tiny")
		case "/flushed":
			fmt.Fprint(rw, text)
			rw.(http.Flusher).Flush()
			fmt.Fprint(rw, "more")
		default:
			fmt.Fprint(rw, text)
		}
	})))
}

func corsStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	c := cors.New(cors.Options{
		AllowedOrigins: []string{"http://o.example"}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"x-a"}, AllowCredentials: true})
	return c.Handler(use(hello(w)))
}

func chiCORSStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(use, chicors.Handler(chicors.Options{AllowedOrigins: []string{"http://o.example"}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-A"}, MaxAge: 300}))
	r.Get("/", hello(w).ServeHTTP)
	return r
}

func sessionStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	s := &scs.SessionManager{ // scs.New starts a goroutine
		IdleTimeout: time.Hour, Lifetime: 24 * time.Hour, Codec: scs.GobCodec{}, Cookie: scs.SessionCookie{Name: "session", Path: "/", Persist: true},
		ErrorFunc: func(_ http.ResponseWriter, _ *http.Request, err error) { w.saw("server", "%v", err) },
	}
	s.Store = &sessions{data: map[string][]byte{"fixed": mustEncode(s, map[string]any{"name": "me"})}}
	mux := http.NewServeMux()
	mux.HandleFunc("/put", func(rw http.ResponseWriter, r *http.Request) {
		s.Put(r.Context(), "name", "you")
		fmt.Fprint(rw, "put")
	})
	mux.HandleFunc("/get", func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, s.GetString(r.Context(), "name")) })
	mux.HandleFunc("/flush", func(rw http.ResponseWriter, _ *http.Request) {
		w.saw("server", "flush: %v", http.NewResponseController(rw).Flush())
	})
	mux.HandleFunc("/destroy", func(_ http.ResponseWriter, r *http.Request) { w.saw("server", "%v", s.Destroy(r.Context())) })
	withCookie := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.AddCookie(&http.Cookie{Name: s.Cookie.Name, Value: "fixed"})
			h.ServeHTTP(rw, r)
		})
	}
	return withCookie(s.LoadAndSave(use(mux)))
}

func mustEncode(s *scs.SessionManager, values map[string]any) []byte {
	b, err := s.Codec.Encode(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), values)
	if err != nil {
		panic(err)
	}
	return b
}

// sessions is a store without a goroutine.
type sessions struct{ data map[string][]byte }

func (s *sessions) Find(token string) ([]byte, bool, error) {
	b, ok := s.data[token]
	return b, ok, nil
}
func (s *sessions) Commit(string, []byte, time.Time) error { return nil }
func (s *sessions) Delete(string) error                    { return nil }

func prometheusStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	registry := prometheus.NewRegistry()
	count := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests"}, []string{"code", "method"})
	size := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "size", Buckets: []float64{4, 100}}, []string{"code"})
	in := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "request_size", Buckets: []float64{10_000}}, nil)
	flying := prometheus.NewGauge(prometheus.GaugeOpts{Name: "in_flight"})
	registry.MustRegister(count, size, flying)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("/fail", http.NotFoundHandler())
	mux.Handle("/work", hello(w))
	return promhttp.InstrumentHandlerInFlight(flying, promhttp.InstrumentHandlerCounter(count,
		promhttp.InstrumentHandlerResponseSize(size, promhttp.InstrumentHandlerRequestSize(in, use(mux)))))
}

var times = regexp.MustCompile(`"(time|duration|responseTime|timestamp|httpRequest.latency|pc|stack|latency)[^,}]*,?|[0-9.]+(µs|ms|ns|s)\b|req-[^"]*|0x[0-9a-f]+|\+?goroutine [0-9]+`)

func httplogStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	logger := slog.New(slog.NewJSONHandler(accessLog{w}, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case "level", "status", "method", "path", "requestBody", "responseBody", "bytesWritten", "http.response.status_code", "url.path":
			return a
		}
		if a.Value.Kind() == slog.KindGroup {
			return a
		}
		return slog.Attr{}
	}}))
	r := chi.NewRouter()
	r.Use(use, httplog.RequestLogger(logger, &httplog.Options{
		Level: slog.LevelDebug, Schema: httplog.SchemaOTEL, RecoverPanics: true,
		LogRequestBody: func(*http.Request) bool { return true }, LogResponseBody: func(*http.Request) bool { return true },
	}))
	r.HandleFunc("/", hello(w).ServeHTTP)
	r.Get("/fail", func(rw http.ResponseWriter, r *http.Request) {
		httplog.SetAttrs(r.Context(), slog.String("path", "/fail"))
		rw.WriteHeader(http.StatusBadGateway)
	})
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	return r
}

// accessLog notes log lines.
type accessLog struct{ w *world }

func (l accessLog) Write(p []byte) (int, error) {
	l.w.saw("access log", "%s", times.ReplaceAllString(string(p), ""))
	return len(p), nil
}

func rateStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(use, httprate.LimitBy(2, 24*time.Hour, httprate.KeyByEndpoint, httprate.WithResponseHeaders(httprate.ResponseHeaders{
		Limit: "X-Limit", Remaining: "X-Remaining"})))
	r.Handle("/*", hello(w))
	return r
}

const signingKey = "a key of this test"

func jwt() string {
	_, token, err := jwtauth.New("HS256", []byte(signingKey), nil).Encode(map[string]any{"user": "me"})
	if err != nil {
		panic(err)
	}
	return token
}

func jwtStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	auth := jwtauth.New("HS256", []byte(signingKey), nil)
	r := chi.NewRouter()
	r.Use(use, jwtauth.Verifier(auth), jwtauth.Authenticator(auth))
	r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		_, claims, err := jwtauth.FromContext(r.Context())
		w.saw("server", "%v %v", claims, err)
	})
	return r
}

type greeting struct{ Body struct{ Message string } }

type tick struct{ N int }

var humaRequests = []request{
	get("/greet/me"), get("/greet/me?times=x"), get("/greet/toolonganame"), get("/nowhere"), get("/openapi.json"), get("/ticks"),
	get("/greet/me", "Accept", "application/cbor"), {method: http.MethodPut, path: "/greet/me"}, get("/greet/fail"),
}

func operations(w *world, api huma.API) {
	huma.Get(api, "/greet/{name}", func(ctx context.Context, in *struct {
		Name  string `path:"name" maxLength:"5"`
		Times int    `query:"times"`
	}) (*greeting, error) {
		w.saw("server", "%s %d %v", in.Name, in.Times, ctx.Err())
		if in.Name == "fail" {
			return nil, huma.Error409Conflict("no")
		}
		out := new(greeting)
		out.Body.Message = "hello " + in.Name
		return out, nil
	})
	sse.Register(api, huma.Operation{OperationID: "ticks", Method: http.MethodGet, Path: "/ticks"}, map[string]any{"tick": tick{}},
		func(_ context.Context, _ *struct{}, send sse.Sender) {
			for i := range 3 {
				w.saw("server", "sent %v", send.Data(tick{i}))
			}
		})
}

func humaStack(newAPI func(*chi.Mux) huma.API) func(*world, func(http.Handler) http.Handler) http.Handler {
	return func(w *world, use func(http.Handler) http.Handler) http.Handler {
		r := chi.NewMux()
		r.Use(use)
		operations(w, newAPI(r))
		return r
	}
}

func humaMuxStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	operations(w, humago.New(mux, huma.DefaultConfig("T", "1")))
	return use(mux)
}
