package rows

import (
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/opentracing-contrib/go-stdlib/nethttp"
	"github.com/opentracing/opentracing-go"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/spanloom/spanloom/httpmw"
)

func stockNethttp(
	tr opentracing.Tracer, h http.Handler, r *http.Request, name func(*http.Request) string,
	filter func(*http.Request) bool,
	text func(*url.URL) string, observe func(opentracing.Span, *http.Request), client *http.Client,
) []nethttp.MWOption {
	_ = nethttp.Middleware(tr, h)
	_ = nethttp.MiddlewareFunc(tr, h.ServeHTTP)
	client.Transport = &nethttp.Transport{}
	r, ht := nethttp.TraceRequest(tr, r, nethttp.OperationName("get"))
	defer ht.Finish()
	_, _ = nethttp.InjectSpanContext(false), nethttp.ClientTrace(true)
	_ = nethttp.ClientSpanObserver(observe)
	_ = r
	return []nethttp.MWOption{
		nethttp.OperationNameFunc(name), nethttp.MWSpanFilter(filter), nethttp.MWURLTagFunc(text),
		nethttp.MWSpanObserver(observe), nethttp.MWComponentName("web"),
	}
}

func kitHTTP(
	tr opentracing.Tracer, h http.Handler, base http.RoundTripper, name func(r *http.Request, route string) string,
	filter func(*http.Request) bool, text func(*url.URL) string, client *http.Client,
) ([]httpmw.Option, []httpmw.ClientOption) {
	_ = httpmw.Middleware(tr)(h)
	client.Transport = httpmw.Transport(tr, base)
	return []httpmw.Option{
			httpmw.WithOperationName(name), httpmw.WithFilter(filter), httpmw.WithURLRedaction(text),
			httpmw.WithOutcome(func(span opentracing.Span, r *http.Request, o *httpmw.Outcome) {}),
			httpmw.WithHeaderTags([]string{"X-Request-Id"}, nil),
			httpmw.WithTags(opentracing.Tag{Key: "component", Value: "web"}),
			httpmw.WithSemconv(httpmw.OTel),
		}, []httpmw.ClientOption{
			httpmw.WithPropagation(func(*http.Request) bool { return false }),
			httpmw.WithConnectionEvents(),
		}
}

func stockOTel(h http.Handler, r chi.Router, base http.RoundTripper, filter func(*http.Request) bool,
	name func(string, *http.Request) string) []otelhttp.Option {
	_ = otelhttp.NewHandler(h, "op")
	_ = otelhttp.NewMiddleware("op")
	_ = otelhttp.NewTransport(base)
	r.Use(otelchi.Middleware("shop", otelchi.WithChiRoutes(r)))
	return []otelhttp.Option{
		otelhttp.WithFilter(filter), otelhttp.WithSpanNameFormatter(name), otelhttp.WithPublicEndpointFn(filter),
	}
}

func kitChi(tr opentracing.Tracer, r chi.Router, public func(*http.Request) bool) {
	r.Use(httpmw.Middleware(tr, httpmw.WithPublicEndpoint(public), httpmw.WithTraceIDHeader("X-Trace-Id")))
}

// kitMux names spans by the templates of gorilla/mux.
func kitMux(tr opentracing.Tracer, r *mux.Router) http.Handler {
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if template, err := mux.CurrentRoute(req).GetPathTemplate(); err == nil {
				httpmw.SetRoute(req, template)
			}
			next.ServeHTTP(w, req)
		})
	})
	return httpmw.Middleware(tr)(r)
}
