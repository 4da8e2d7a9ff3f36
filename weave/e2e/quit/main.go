// Command quit sends a request to the address that it is called with, and ends by os.Exit, as programs do that fail.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	resp, err := http.Get(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	os.Exit(3)
}
