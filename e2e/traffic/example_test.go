package traffic_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
)

// printSpans serves two requests and prints the names of their spans.
func printSpans(tracer *mocktracer.MockTracer, h http.Handler) {
	for _, path := range []string{"/users/7", "/nowhere"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		span := tracer.FinishedSpans()[len(tracer.FinishedSpans())-1]
		fmt.Println(w.Code, span.OperationName, span.Tag("http.status_code"))
	}
}

// gorilla/mux knows the route in its own middlewares.
func Example_gorillaMux() {
	tracer := mocktracer.New()
	r := mux.NewRouter()
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if template, err := mux.CurrentRoute(r).GetPathTemplate(); err == nil {
				httpmw.SetRoute(r, template)
			}
			next.ServeHTTP(w, r)
		})
	})
	r.HandleFunc("/users/{id}", func(http.ResponseWriter, *http.Request) {})

	printSpans(tracer, httpmw.Middleware(tracer)(r))
	// Output:
	// 200 GET /users/{id} 200
	// 404 GET 404
}

// gin is traced around the engine; FullPath is empty where no route matches.
func Example_gin() {
	gin.SetMode(gin.ReleaseMode)
	tracer := mocktracer.New()
	e := gin.New()
	e.Use(func(c *gin.Context) { httpmw.SetRoute(c.Request, c.FullPath()) })
	e.GET("/users/:id", func(c *gin.Context) { c.Status(http.StatusOK) })

	printSpans(tracer, httpmw.Middleware(tracer)(e))
	// Output:
	// 200 GET /users/:id 200
	// 404 GET 404
}

// echo answers errors after its middlewares have returned, so the middleware goes around all of it, not into Use.
func Example_echo() {
	tracer := mocktracer.New()
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			httpmw.SetRoute(c.Request(), c.Path())
			return next(c)
		}
	})
	e.GET("/users/:id", func(echo.Context) error { return echo.ErrTeapot })

	printSpans(tracer, httpmw.Middleware(tracer)(e))
	// Output:
	// 418 GET /users/:id 418
	// 404 GET 404
}
