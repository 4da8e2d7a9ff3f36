package httpmw_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

type newBody struct{ io.Reader }

func (newBody) Close() error { return nil }

// changes are the exported fields of a request and what a handler sets them to.
var changes = map[string]any{
	"Method": "PURGE", "URL": &url.URL{Path: "/new"}, "Proto": "HTTP/9.8", "ProtoMajor": 9, "ProtoMinor": 8,
	"Header": http.Header{"New": {"1"}}, "Body": &newBody{}, "GetBody": func() (io.ReadCloser, error) { return nil, io.EOF },
	"ContentLength": int64(99), "TransferEncoding": []string{"new"}, "Close": true, "Host": "new.example",
	"Form": url.Values{"new": {"1"}}, "PostForm": url.Values{"new": {"2"}}, "MultipartForm": &multipart.Form{},
	"Trailer": http.Header{"New": {"2"}}, "RemoteAddr": "10.9.8.7:6", "RequestURI": "/new", "TLS": &tls.ConnectionState{},
	"Cancel": (<-chan struct{})(make(chan struct{})), "Response": &http.Response{}, "Pattern": "/new/{id}",
}

// hidden are the unexported fields: of the context, of the pattern of a ServeMux and its values, and of SetPathValue.
var hidden = map[string]bool{"ctx": true, "pat": true, "matches": true, "otherValues": true}

// TestFieldsOfRequests: a field that a new release of Go adds must be handed back, too.
func TestFieldsOfRequests(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[http.Request]()) {
		if _, known := changes[f.Name]; known == !f.IsExported() || !known && !hidden[f.Name] {
			t.Errorf("http.Request.%s is not known", f.Name)
		}
	}
	for name := range hidden {
		if _, ok := reflect.TypeFor[http.Request]().FieldByName(name); !ok {
			t.Errorf("http.Request.%s, where path values are found, is gone", name)
		}
	}
}

// TestChangedFieldsAreHandedBack, each alone, once the handler has returned.
func TestChangedFieldsAreHandedBack(t *testing.T) {
	for name, value := range changes {
		t.Run(name, func(t *testing.T) {
			r := request("POST", "/a")
			r.Body = http.NoBody
			before := *r
			var during http.Request
			served(t, func(_ http.ResponseWriter, inner *http.Request) {
				reflect.ValueOf(inner).Elem().FieldByName(name).Set(reflect.ValueOf(value))
				during = *r
			}, r)
			for _, f := range reflect.VisibleFields(reflect.TypeFor[http.Request]()) {
				want := reflect.ValueOf(&before).Elem().FieldByIndex(f.Index)
				if got := reflect.ValueOf(&during).Elem().FieldByIndex(f.Index); f.IsExported() && !identical(got, want) {
					t.Errorf("%s was written while the handler ran", f.Name)
				}
				if f.Name == name {
					want = reflect.ValueOf(value)
				}
				if got := reflect.ValueOf(r).Elem().FieldByIndex(f.Index); f.IsExported() && !identical(got, want) {
					t.Errorf("%s is %v, want %v", f.Name, got, want)
				}
			}
		})
	}
}

// identical compares references by what they point to.
func identical(a, b reflect.Value) bool {
	if a.Kind() == reflect.Interface {
		a = a.Elem()
	}
	if b.Kind() == reflect.Interface {
		b = b.Elem()
	}
	switch a.Kind() {
	case reflect.Func, reflect.Map, reflect.Slice, reflect.Pointer, reflect.Chan:
		return a.Pointer() == b.Pointer()
	case reflect.Invalid:
		return b.Kind() == reflect.Invalid
	}
	return a.Interface() == b.Interface()
}

// TestUnchangedRequestsAreOnlyRead: others may read one meanwhile and afterwards, as a slow logger does.
func TestUnchangedRequestsAreOnlyRead(t *testing.T) {
	r := request("GET", "/a", "A", "b")
	r.TransferEncoding = []string{"chunked"}
	r.Body = io.NopCloser(strings.NewReader("x"))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			_ = fmt.Sprint(*r)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 20 {
		served(t, func(_ http.ResponseWriter, r *http.Request) { io.ReadAll(r.Body) }, r)
	}
	close(stop)
	<-done
}

// TestContextsAreHandedBack: a handler may overwrite its request with one that has another context. The span may be in
// it, but not what stops a second middleware.
func TestContextsAreHandedBack(t *testing.T) {
	type key struct{}
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	h := m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*r = *r.WithContext(context.WithValue(r.Context(), key{}, "user"))
		r.SetPathValue("id", "7")
		httpmw.SetRoute(r, "/users/{id}")
	}))
	r := request("POST", "/users/7")
	r.TransferEncoding, r.Body = []string{"chunked"}, http.NoBody
	body := r.Body
	h.ServeHTTP(httptest.NewRecorder(), r)
	if r.Context().Value(key{}) != "user" || r.PathValue("id") != "7" || r.Body != body {
		t.Errorf("value %v, id %q, body %T", r.Context().Value(key{}), r.PathValue("id"), r.Body)
	}
	httpmw.SetRoute(r, "/late")
	h.ServeHTTP(httptest.NewRecorder(), r)
	spans := tracer.Finished()
	if len(spans) != 2 || spans[0].OperationName != "POST /users/{id}" || spans[1].OperationName != "POST /users/{id}" {
		t.Errorf("spans %v, want two", spans)
	}
}

// TestContextOfOtherRequests is left as it was.
func TestContextOfOtherRequests(t *testing.T) {
	r := request("GET", "/a")
	ctx := r.Context()
	served(t, func(_ http.ResponseWriter, r *http.Request) { r.SetPathValue("a", "b") }, r)
	if r.Context() != ctx || r.PathValue("a") != "b" || opentracing.SpanFromContext(r.Context()) != nil {
		t.Errorf("context %v, value %q", r.Context(), r.PathValue("a"))
	}
}

// TestPathValuesAreHandedBack, whoever sets them.
func TestPathValuesAreHandedBack(t *testing.T) {
	names := []string{"id", "org", "rest", "x", "mine", "*"}
	values := func(wrap func(mw) http.Handler, m mw, target string) (got []string) {
		handle(wrap(func(next http.Handler) http.Handler {
			next = m(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				for _, name := range names {
					got = append(got, name+"="+r.PathValue(name))
				}
				got = append(got, r.Pattern)
			})
		}), "GET", target)
		return got
	}
	own := func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("mine", "1")
		r.SetPathValue("other", "2")
	}
	mux := func(h http.Handler) http.Handler {
		m := http.NewServeMux()
		m.Handle("/{org}/{id}/{rest...}", h)
		return m
	}
	for name, tt := range map[string]struct {
		build  func(mw) http.Handler
		target string
	}{
		"handler":        {func(m mw) http.Handler { return m(http.HandlerFunc(own)) }, "/"},
		"mux":            {func(m mw) http.Handler { return m(mux(http.HandlerFunc(own))) }, "/o/7/a/b"},
		"around a mux's": {func(m mw) http.Handler { return mux(m(http.HandlerFunc(own))) }, "/o/7/a/b"},
		"chi": {func(m mw) http.Handler {
			r := chi.NewRouter()
			r.Use(m)
			r.Get("/{org}/{id:[0-9]{1,3}}/*", own)
			return r
		}, "/o/7/a/b"},
		"mounted": {func(m mw) http.Handler {
			r := chi.NewRouter()
			r.Use(m)
			r.Route("/{org}", func(r chi.Router) { r.Get("/{id}", own) })
			return r
		}, "/o/7"},
		"chi behind a mux": {func(m mw) http.Handler {
			r := chi.NewRouter()
			r.Get("/{org}/{x}/*", own)
			return m(mux(r))
		}, "/o/7/a/b"},
		"mux behind chi": {func(m mw) http.Handler {
			r := chi.NewRouter()
			r.Use(m)
			r.Mount("/", mux(http.HandlerFunc(own)))
			return r
		}, "/o/7/a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := values(tt.build, plain, tt.target), values(tt.build, httpmw.Middleware(spantest.New(t)), tt.target)
			if fmt.Sprint(want) != fmt.Sprint(got) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

// TestMiddlewaresBeforeSeeChanges of a request that chi has copied, unless there is no such middleware.
func TestMiddlewaresBeforeSeeChanges(t *testing.T) {
	type key struct{}
	var got string
	look := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			got = fmt.Sprint(r.Pattern, r.PathValue("id"), r.Context().Value(key{}), r.Form)
		})
	}
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	skips := httpmw.Middleware(tracer, httpmw.WithFilter(func(*http.Request) bool { return false }))
	for name, tt := range map[string]struct {
		use  []mw
		want string
	}{
		"bare":    {[]mw{look}, "/users/{id}7usermap[f:[1]]"},
		"behind":  {[]mw{look, m}, "/users/{id}7usermap[f:[1]]"},
		"skipped": {[]mw{skips, look, m}, "/users/{id}7usermap[f:[1]]"},
		"first":   {[]mw{m, look}, "/users/{id}7usermap[f:[1]]"},
		"alone":   {[]mw{m}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := chi.NewRouter()
			r.Use(tt.use...)
			r.Get("/users/{id}", func(_ http.ResponseWriter, r *http.Request) {
				r.ParseForm()
				*r = *r.WithContext(context.WithValue(r.Context(), key{}, "user"))
			})
			for range 2 {
				got = ""
				if handle(r, "GET", "/users/7?f=1"); got != tt.want {
					t.Errorf("%q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestRequestBodiesKeepTheirInterfaces, also where trailers may follow unannounced.
func TestRequestBodiesKeepTheirInterfaces(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{
		"reader": struct{ io.ReadCloser }{io.NopCloser(strings.NewReader("abc"))}, "writes": io.NopCloser(strings.NewReader("abc")),
	} {
		t.Run(name, func(t *testing.T) {
			r := request("POST", "/")
			r.Body, r.TransferEncoding = body, []string{"chunked"}
			_, want := body.(io.WriterTo)
			served(t, func(w http.ResponseWriter, r *http.Request) {
				if _, got := r.Body.(io.WriterTo); got != want {
					t.Errorf("WriterTo %t, want %t", got, want)
				}
				var b bytes.Buffer
				if n, err := io.Copy(&b, r.Body); n != 3 || err != nil || b.String() != "abc" {
					t.Errorf("%d, %v, %q", n, err, b.String())
				}
			}, r)
			if r.Body != body {
				t.Errorf("body %T", r.Body)
			}
		})
	}
}

// TestRequestsNoServerMakes are served as they are without the middleware.
func TestRequestsNoServerMakes(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"empty": {}, "nil": nil, "no URL": {Method: "GET", Header: http.Header{}}, "no header": {Method: "GET", URL: &url.URL{Path: "/users/1"}},
		"empty URL": {Method: "GET", URL: &url.URL{}}, "chunked": {TransferEncoding: []string{"chunked"}},
	} {
		t.Run(name, func(t *testing.T) {
			for router, build := range map[string]func(mw) http.Handler{
				"handler": func(m mw) http.Handler {
					return m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "served") }))
				},
				"no writer": func(m mw) http.Handler {
					h := m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if w != nil {
							t.Errorf("writer %T", w)
						}
					}))
					return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { h.ServeHTTP(nil, r) })
				},
				"chi":       func(m mw) http.Handler { return m(shows()) },
				"chi, Use":  func(m mw) http.Handler { return shows(m) },
				"ServeMux":  func(m mw) http.Handler { return m(serveMux(plain)) },
				"mux below": func(m mw) http.Handler { return serveMux(m) },
			} {
				t.Run(name+", "+router, func(t *testing.T) {
					serve := func(h http.Handler) (result string) {
						w := httptest.NewRecorder()
						defer func() { result = fmt.Sprint(recover(), w.Code, w.Body) }()
						var in *http.Request
						if r != nil {
							in = new(http.Request)
							*in = *r
						}
						h.ServeHTTP(w, in)
						return ""
					}
					if want, got := serve(build(plain)), serve(build(httpmw.Middleware(spantest.New(t), httpmw.WithSemconv(httpmw.Both)))); got != want {
						t.Errorf("%s, want %s", got, want)
					}
				})
			}
		})
	}
}
