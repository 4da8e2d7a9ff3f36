package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
)

// supplier quotes prices. It runs on the standard library's mux, where the middleware goes around the mux.
func supplier(tracer opentracing.Tracer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /prices/{id}", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Millisecond)
		fmt.Fprintf(w, "%d", 500+10*len(r.PathValue("id")))
	})
	mux.HandleFunc("GET /closed", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "closed for stocktaking", http.StatusServiceUnavailable)
	})
	return httpmw.Middleware(tracer)(mux)
}
