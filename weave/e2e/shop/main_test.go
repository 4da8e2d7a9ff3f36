package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestParts is the shop's own test. Built woven, it passes as well, and no tracer is started.
func TestParts(t *testing.T) {
	srv := httptest.NewServer(zip(parts()))
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/parts/7")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "4 EUR" {
		t.Errorf("%q, %v", body, err)
	}
}
