// Program old prints what its loops mean, which the go line of its go.mod decides, and whether its requests are traced.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
)

func main() {
	var last []func() int
	for i := 0; i < 2; i++ {
		last = append(last, func() int { return i })
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, len(r.Header["Traceparent"]))
	}))
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	traced, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %d, traced %s\n", last[0](), last[1](), traced)
}
