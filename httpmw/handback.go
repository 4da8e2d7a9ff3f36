package httpmw

import (
	"net/http"
	"strings"
)

// share makes r ready to be copied. Trailers that a client sends unannounced are put into the request that net/http
// holds: a map that is there already is seen by copies, too.
func share(r *http.Request) *http.Request {
	if r.Trailer == nil && len(r.TransferEncoding) > 0 {
		r.Trailer = http.Header{}
	}
	return r
}

// handBack gives the request that came in what handlers changed on the copy, as if there were none: net/http
// deletes the files of its multipart form, outer middlewares look at its pattern. What did not change is not written:
// somebody may be reading it. A chi router outermost makes a copy of its own, so that no other change would be seen.
func handBack(r, inner *http.Request, all bool) {
	if inner.MultipartForm != r.MultipartForm {
		r.MultipartForm = inner.MultipartForm
	}
	if !all {
		return
	}
	if inner.Form != nil && r.Form == nil {
		r.Form, r.PostForm = inner.Form, inner.PostForm
	}
	if inner.RemoteAddr != r.RemoteAddr {
		r.RemoteAddr = inner.RemoteAddr
	}
	if inner.Method != r.Method || inner.Host != r.Host {
		r.Method, r.Host = inner.Method, inner.Host
	}
	if inner.URL != r.URL {
		r.URL = inner.URL
	}
	if !sameHeader(inner.Header, r.Header) {
		r.Header = inner.Header
	}
	if inner.Pattern != r.Pattern {
		r.Pattern = inner.Pattern
		handBackValues(r, inner)
	}
}

func handBackValues(r, inner *http.Request) {
	for rest := r.Pattern; ; {
		_, after, ok := strings.Cut(rest, "{")
		name, after, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return
		}
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "..."), ":")
		if v := inner.PathValue(name); v != r.PathValue(name) {
			r.SetPathValue(name, v)
		}
		rest = after
	}
}
