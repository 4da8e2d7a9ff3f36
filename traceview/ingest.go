package traceview

import "net/http"

const maxPosts = 4

func (v *View) ingestOTLP(w http.ResponseWriter, r *http.Request)   { http.NotFound(w, r) }
func (v *View) ingestThrift(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
