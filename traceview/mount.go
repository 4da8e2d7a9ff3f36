package traceview

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// cleanPrefix returns a prefix as requests spell it: escaped, and without a slash at its end.
func cleanPrefix(prefix string) string {
	if prefix == "" {
		prefix = defaultPrefix
	}
	return (&url.URL{Path: strings.TrimSuffix(path.Clean("/"+prefix), "/")}).EscapedPath()
}

// sections are the first path segments that the view answers.
var sections = map[string]bool{
	"": true, "trace": true, "operations": true, "services": true, "events": true, "static": true, "clear": true,
	"undo": true, "compare": true, "beside": true, "import": true, "search": true, "api": true, "v1": true,
}

type baseKey struct{}

// base is the relative link from the requested page to the view's root, so that links work under every prefix.
func base(r *http.Request) string {
	b, _ := r.Context().Value(baseKey{}).(string)
	return b
}

// stripPrefix returns r with the path as the view's own routes see it, whether or not a router in front took the
// prefix off.
func (v *View) stripPrefix(r *http.Request) (*http.Request, bool) {
	rest, ok := v.pathInside(r.URL.EscapedPath())
	if !ok {
		return nil, false
	}
	rest = path.Clean("/" + rest)
	unescaped, err := url.PathUnescape(rest)
	if err != nil {
		return nil, false
	}
	inner := r.WithContext(context.WithValue(r.Context(), baseKey{}, relativeBase(r, rest)))
	u := *r.URL
	u.Path, u.RawPath = unescaped, rest
	inner.URL = &u
	return inner, true
}

// pathInside cuts the prefix off p. A path without it was stripped by the router, or holds it further right.
func (v *View) pathInside(p string) (string, bool) {
	prefix := v.cfg.Prefix
	if after, ok := strings.CutPrefix(p, prefix); ok && (after == "" || after[0] == '/') {
		return after, true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if sections[first] {
		return p, true
	}
	if _, after, ok := strings.Cut(p+"/", prefix+"/"); ok {
		return "/" + strings.TrimSuffix(after, "/"), true
	}
	return "", false
}

// relativeBase climbs from the address that the browser shows: what follows its last slash is replaced.
func relativeBase(r *http.Request, rest string) string {
	visible, _, _ := strings.Cut(r.RequestURI, "?")
	if visible == "" {
		visible = r.URL.EscapedPath()
	}
	slash := strings.HasSuffix(visible, "/")
	depth := strings.Count(rest, "/")
	if rest == "/" {
		if slash {
			return "./"
		}
		return "./" + visible[strings.LastIndexByte(visible, '/')+1:] + "/"
	}
	if slash {
		depth++
	}
	if depth == 1 {
		return "./"
	}
	return strings.Repeat("../", depth-1)
}
