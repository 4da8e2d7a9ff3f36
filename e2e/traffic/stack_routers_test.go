package traffic_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
	"github.com/justinas/alice"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

func TestRoutersServeAsBare(t *testing.T) {
	runStacks(t, []stack{
		{"alice", aliceStack, []request{get("/"), get("/panic"), post("/", "body")}},
		{"gorilla", gorillaStack, []request{
			get("/users/7"), get("/users/7", "X-Forwarded-For", "10.1.2.3"), get("/users/x"), get("/users/7/"), get("/nowhere"),
			post("/users/7", "x", "X-HTTP-Method-Override", "DELETE"), get("/panic"), get("/gzip", "Accept-Encoding", "gzip"),
			{method: http.MethodPut, path: "/users/7"}, {method: http.MethodOptions, path: "/users/7", header: []string{
				"Origin", "http://o.example", "Access-Control-Request-Method", "PUT"}},
		}},
		{"gin", ginStack, []request{
			get("/users/7"), get("/users/7/"), get("/nowhere"), get("/panic"), get("/abort"), get("/stream"), get("/error"),
			post("/users/7", `{"name":"me"}`), post("/users/7", `{`), {method: http.MethodPut, path: "/users/7"}, get("/files/a/b"),
		}},
		{"echo", echoStack, []request{
			get("/users/7"), get("/users/7/"), get("/nowhere"), get("/panic"), get("/error"), get("/late"), get("/stream"),
			post("/users/7", `{"name":"me"}`), post("/users/7", `{`), {method: http.MethodPut, path: "/users/7"}, get("/files/a/b"),
		}},
		{"chi", chiStack, []request{
			get("/users/7"), get("/users/7/"), get("/users//7"), get("/nowhere"), get("/panic"), {method: http.MethodHead, path: "/users/7"},
			get("/slow"), get("/admin/x"), {method: http.MethodPut, path: "/users/7"}, get("/users/7.json"), get("/ping"),
		}},
	})
}

func hello(w *world) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(r.Body)
		w.saw("server", "%s %s %q %v", r.Method, r.URL, body, err)
		fmt.Fprint(rw, "hello")
	})
}

func aliceStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	tag := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("X-Tag", "1")
			h.ServeHTTP(rw, r)
		})
	}
	return alice.New(tag, use).Append(tag).Then(hello(w))
}

func gorillaStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	r := mux.NewRouter()
	r.StrictSlash(true)
	r.Use(use)
	r.HandleFunc("/users/{id:[0-9]+}", func(rw http.ResponseWriter, r *http.Request) {
		name, _ := mux.CurrentRoute(r).GetPathTemplate()
		w.saw("server", "%s %s %v from %s", r.Method, name, mux.Vars(r), withoutPorts(r.RemoteAddr))
		rw.Header().Set("Etag", `"1"`)
		fmt.Fprint(rw, mux.Vars(r)["id"])
	}).Methods(http.MethodGet, http.MethodDelete)
	r.Handle("/panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	r.Handle("/gzip", handlers.CompressHandler(hello(w)))
	log := lineLog{w: w, who: "access log"}
	h := handlers.CORS(handlers.AllowedMethods([]string{http.MethodPut}))(r)
	h = handlers.HTTPMethodOverrideHandler(handlers.ProxyHeaders(h))
	return handlers.RecoveryHandler(handlers.RecoveryLogger(log))(handlers.CustomLoggingHandler(log, h, log.format))
}

// lineLog notes the lines of a log, without times and ports.
type lineLog struct {
	w   *world
	who string
}

func (l lineLog) Write(p []byte) (int, error) {
	l.w.saw(l.who, "%s", withoutPorts(string(p)))
	return len(p), nil
}

func (l lineLog) Println(v ...any) { l.w.saw(l.who, "%s", fmt.Sprint(v...)) }

func (l lineLog) format(out io.Writer, p handlers.LogFormatterParams) {
	fmt.Fprintf(out, "%s %s %d %d", p.Request.Method, p.URL.String(), p.StatusCode, p.Size)
}

type user struct {
	Name string `json:"name" binding:"required"`
}

func ginStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, err any) {
		w.saw("server", "recovered %v", err)
		c.AbortWithStatus(http.StatusInternalServerError)
	}), func(c *gin.Context) {
		c.Next()
		w.saw("access log", "%s %s %d %d %v", c.Request.Method, c.FullPath(), c.Writer.Status(), c.Writer.Size(), c.Errors)
	})
	e.GET("/users/:id", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"id": c.Param("id"), "path": c.FullPath()}) })
	e.POST("/users/:id", func(c *gin.Context) {
		var u user
		if err := c.ShouldBindJSON(&u); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		c.IndentedJSON(http.StatusCreated, u)
	})
	e.GET("/panic", func(*gin.Context) { panic("boom") })
	e.GET("/abort", func(c *gin.Context) { c.AbortWithStatusJSON(http.StatusTeapot, "no") })
	e.GET("/error", func(c *gin.Context) { _ = c.Error(errors.New("late")); c.Status(http.StatusBadGateway) })
	e.GET("/stream", func(c *gin.Context) {
		n := 0
		c.Stream(func(out io.Writer) bool {
			n++
			c.SSEvent("tick", n)
			return n < 3
		})
	})
	e.GET("/files/*path", func(c *gin.Context) { c.String(http.StatusOK, c.Param("path")) })
	return use(e)
}

func echoStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	e := echo.New()
	e.Use(echomiddleware.RequestLoggerWithConfig(echomiddleware.RequestLoggerConfig{
		LogStatus: true, LogURI: true, LogResponseSize: true, HandleError: true,
		LogValuesFunc: func(_ echo.Context, v echomiddleware.RequestLoggerValues) error {
			w.saw("access log", "%s %d %d", v.URI, v.Status, v.ResponseSize)
			return nil
		},
	}), echo.WrapMiddleware(use), echomiddleware.RecoverWithConfig(echomiddleware.RecoverConfig{DisablePrintStack: true, LogErrorFunc: func(_ echo.Context, err error, _ []byte) error {
		w.saw("server", "recovered %v", err)
		return err
	}}))
	e.GET("/users/:id", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"id": c.Param("id"), "path": c.Path()})
	})
	e.POST("/users/:id", func(c echo.Context) error {
		var u user
		if err := c.Bind(&u); err != nil {
			return err
		}
		return c.JSONPretty(http.StatusCreated, u, " ")
	})
	e.GET("/panic", func(echo.Context) error { panic("boom") })
	e.GET("/error", func(echo.Context) error { return echo.NewHTTPError(http.StatusTeapot, "short and stout") })
	e.GET("/late", func(c echo.Context) error {
		_ = c.String(http.StatusOK, "done")
		return errors.New("too late")
	})
	e.GET("/stream", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		for i := range 3 {
			fmt.Fprintln(c.Response(), i)
			c.Response().Flush()
		}
		return nil
	})
	e.GET("/files/*", func(c echo.Context) error {
		return c.Stream(http.StatusOK, "text/plain", bufio.NewReader(newText(c.Param("*"))))
	})
	return e
}

func chiStack(w *world, use func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, middleware.ClientIPFromRemoteAddr, use, middleware.Recoverer, middleware.StripSlashes, middleware.GetHead,
		middleware.Heartbeat("/ping"), middleware.Compress(5), middleware.CleanPath, middleware.ThrottleBacklog(10, 10, 1e9))
	r.With(middleware.URLFormat).Get("/users/{id}", func(rw http.ResponseWriter, r *http.Request) {
		format, _ := r.Context().Value(middleware.URLFormatCtxKey).(string)
		w.saw("server", "%s %s %s %s %s", r.URL.Path, chi.URLParam(r, "id"), r.PathValue("id"), chi.RouteContext(r.Context()).RoutePattern(), format)
		fmt.Fprint(rw, "user")
	})
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	r.With(middleware.Timeout(1e6)).Get("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r.Mount("/admin", http.StripPrefix("/admin", middleware.BasicAuth("realm", map[string]string{"a": "b"})(hello(w))))
	return r
}
