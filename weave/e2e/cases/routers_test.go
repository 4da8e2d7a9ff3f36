//go:build woven

package cases

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
)

// routers are routers of other people with the same routes, each behind a handler that hides it.
func routers() map[string]http.Handler {
	gorilla := mux.NewRouter()
	gorilla.HandleFunc("/users/{id}", hello).Methods(http.MethodGet)
	gorilla.PathPrefix("/api").Subrouter().HandleFunc("/items/{id}", hello)
	gorilla.NotFoundHandler = http.NotFoundHandler()

	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/users/:id", gin.WrapF(hello))
	engine.Group("/api").Any("/items/:id", gin.WrapF(hello))
	engine.GET("/again/:id", func(c *gin.Context) {
		c.Request.URL.Path = "/users/7"
		engine.HandleContext(c)
	})

	e := echo.New()
	e.GET("/users/:id", echo.WrapHandler(http.HandlerFunc(hello)))
	e.Group("/api").Any("/items/:id", echo.WrapHandler(http.HandlerFunc(hello)))
	return map[string]http.Handler{"gorilla": gorilla, "gin": engine, "echo": e}
}

// TestRoutesOfOtherRouters reads the templates that gorilla/mux, gin and echo have found.
func TestRoutesOfOtherRouters(t *testing.T) {
	for name, router := range routers() {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := startTracer(t)
			hiding := http.NewServeMux()
			hiding.Handle("/", http.StripPrefix("", router))
			srv := httptest.NewServer(hiding)
			defer srv.Close()
			paths, want := []string{"/users/7", "/api/items/7", "/nothing/7"}, []string{"GET /users/{id}", "GET /api/items/{id}", "GET"}
			if name == "gin" {
				paths, want = append(paths, "/again/7"), append(want, "GET /users/{id}")
			}
			for i, path := range paths {
				fetch(t, http.DefaultClient, srv.URL+path)
				if name != "gorilla" {
					want[i] = strings.NewReplacer("{id}", ":id").Replace(want[i])
				}
				want[i] = "server " + want[i]
			}
			for range paths {
				want = append(want, "client GET")
			}
			wantSpans(t, tracer, reporter, want...)
		})
	}
}
