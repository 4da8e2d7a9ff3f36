package httpmw

import (
	"io"
	"net/http"
	"reflect"
	"strings"

	watched "github.com/spanloom/spanloom/internal/http"
)

// copyRequest makes the request that the handler sees: a shallow copy with another context. The request that came in is
// not written to before the handler has returned, because anything may read it: an outer middleware, net/http, or other
// handlers that serve the same request in parallel. The copy lives in the state, which saves an allocation.
func (s *serverState) copyRequest() *http.Request {
	s.copy = *s.original.WithContext(serverContext{s})
	if r := s.original; r.Trailer == nil && len(r.TransferEncoding) > 0 && r.Body != nil && r.Body != http.NoBody {
		s.body = watched.WatchBody(r.Body, s.setTrailer)
		s.copy.Body = s.body
	}
	return &s.copy
}

// setTrailer gives the copy the trailers that a client sends unannounced: net/http puts them into the request that came
// in once its body has been read.
func (s *serverState) setTrailer() {
	if s.copy.Trailer == nil {
		s.copy.Trailer = s.original.Trailer
	}
}

// copyBack gives the request that came in what the handler changed on its copy, as if there were none. net/http deletes
// the files of its multipart form, and outer middlewares read its pattern, form or context. A field that the handler
// did not change is not written: it may be read by others. Of a handler that is late nothing is handed back but what
// net/http reads in any case, and what a router in this goroutine has written.
func (s *serverState) copyBack() {
	r, c := s.original, &s.copy
	if s.late() {
		update(&r.MultipartForm, c.MultipartForm)
		s.copyRouteBack()
		return
	}
	if s.body != nil && c.Body == s.body {
		c.Body = r.Body
	}
	if c.Context() != (serverContext{s}) { // the handler has overwritten all of its request
		*r = *c
		return
	}
	update(&r.Method, c.Method)
	update(&r.URL, c.URL)
	update(&r.Proto, c.Proto)
	update(&r.ProtoMajor, c.ProtoMajor)
	update(&r.ProtoMinor, c.ProtoMinor)
	updateReference(&r.Header, c.Header)
	if !sameBody(r.Body, c.Body) {
		r.Body = c.Body
	}
	updateReference(&r.GetBody, c.GetBody)
	update(&r.ContentLength, c.ContentLength)
	if !sameSlice(r.TransferEncoding, c.TransferEncoding) {
		r.TransferEncoding = c.TransferEncoding
	}
	update(&r.Close, c.Close)
	update(&r.Host, c.Host)
	updateReference(&r.Form, c.Form)
	updateReference(&r.PostForm, c.PostForm)
	update(&r.MultipartForm, c.MultipartForm)
	updateReference(&r.Trailer, c.Trailer)
	update(&r.RemoteAddr, c.RemoteAddr)
	update(&r.RequestURI, c.RequestURI)
	update(&r.TLS, c.TLS)
	update(&r.Cancel, c.Cancel) //lint:ignore SA1019 a handler may set it, deprecated or not
	update(&r.Response, c.Response)
	s.copyRouteBack()
}

// copyRouteBack hands back what routers write.
func (s *serverState) copyRouteBack() {
	if !s.mayBeRouting() {
		update(&s.original.Pattern, s.copy.Pattern)
		copyPathValues(s.original, &s.copy)
	}
}

func update[T comparable](to *T, from T) {
	if *to != from {
		*to = from
	}
}

// updateReference is update for maps and functions.
func updateReference[T any](to *T, from T) {
	if reflect.ValueOf(*to).Pointer() != reflect.ValueOf(from).Pointer() {
		*to = from
	}
}

func sameSlice(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// sameBody compares bodies. Two of the same incomparable type are treated as equal.
func sameBody(a, b io.ReadCloser) bool {
	t := reflect.TypeOf(a)
	return t == reflect.TypeOf(b) && (t == nil || !t.Comparable() || a == b)
}

// The unexported fields of [http.Request] in which SetPathValue and [http.ServeMux] keep path values. Reading them
// finds the names of the values, which no method lists. Without the fields only those of the pattern are found.
var (
	otherValuesField, haveOtherValues = mapField("otherValues")
	muxPatternField, haveMuxPattern   = pointerField("pat")
)

func mapField(name string) (reflect.StructField, bool) {
	f, ok := reflect.TypeFor[http.Request]().FieldByName(name)
	return f, ok && f.Type == reflect.TypeFor[map[string]string]()
}

func pointerField(name string) (reflect.StructField, bool) {
	f, ok := reflect.TypeFor[http.Request]().FieldByName(name)
	return f, ok && f.Type.Kind() == reflect.Pointer
}

// copyPathValues sets the path values of c on r where they differ. A router below sets those of its pattern.
func copyPathValues(r, c *http.Request) {
	from, to := reflect.ValueOf(c).Elem(), reflect.ValueOf(r).Elem()
	fromMux := false
	if haveMuxPattern {
		p := from.FieldByIndex(muxPatternField.Index)
		fromMux = !p.IsNil()
		if p.Pointer() != to.FieldByIndex(muxPatternField.Index).Pointer() {
			copyPatternValues(r, c, muxPattern(p, c.Pattern))
		}
	}
	if !haveOtherValues {
		copyPatternValues(r, c, c.Pattern)
		return
	}
	values := from.FieldByIndex(otherValuesField.Index)
	if values.Pointer() == to.FieldByIndex(otherValuesField.Index).Pointer() {
		return
	}
	if !fromMux && copyPatternValues(r, c, c.Pattern) == values.Len() {
		return // the usual case, without an allocation for each name
	}
	for i := values.MapRange(); i.Next(); {
		copyPathValue(r, c, i.Key().String())
	}
}

// muxPattern returns the pattern of the [http.ServeMux] that routed the request. A chi router below it has overwritten
// the request's Pattern.
func muxPattern(p reflect.Value, otherwise string) string {
	if p.Kind() == reflect.Pointer && !p.IsNil() && p.Elem().Kind() == reflect.Struct {
		if text := p.Elem().FieldByName("str"); text.Kind() == reflect.String {
			return text.String()
		}
	}
	return otherwise
}

// copyPatternValues copies the values whose names are in the pattern, and returns how many names that are. It does not
// allocate unless it sets one.
func copyPatternValues(r, c *http.Request, pattern string) (names int) {
	if strings.HasSuffix(pattern, "*") {
		copyPathValue(r, c, "*")
		names++
	}
	for {
		_, after, ok := strings.Cut(pattern, "{")
		name, after, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return names
		}
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "..."), ":")
		copyPathValue(r, c, name)
		names++
		pattern = after
	}
}

func copyPathValue(r, c *http.Request, name string) {
	if v := c.PathValue(name); v != r.PathValue(name) {
		r.SetPathValue(name, v)
	}
}
