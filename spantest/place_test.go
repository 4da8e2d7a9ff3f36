package spantest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// line returns the place that many lines below the call.
func line(below int) string {
	_, _, n, _ := runtime.Caller(1)
	return fmt.Sprintf("place_test.go:%d", n+below)
}

// TestFaultsNameThePlaceInTheProgram and not one in the libraries between the program and the tracer.
func TestFaultsNameThePlaceInTheProgram(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, tracer opentracing.Tracer) (want string){
		"a helper of opentracing-go": func(t *testing.T, tracer opentracing.Tracer) string {
			want := line(1)
			opentracing.StartSpanFromContextWithTracer(t.Context(), tracer, "never finished")
			return "started at " + want
		},
		"a tag of package ext": func(_ *testing.T, tracer opentracing.Tracer) string {
			span := tracer.StartSpan("finished")
			span.Finish()
			want := line(1)
			ext.Error.Set(span, true)
			return "SetTag error at " + want
		},
		"a client whose response is not read": func(t *testing.T, tracer opentracing.Tracer) string {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
			t.Cleanup(srv.Close)
			client := httpmw.Client(tracer, srv.Client())
			want := line(1)
			resp, err := client.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { resp.Body.Close() })
			return "started at " + want
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := &recorder{TB: t}
			want := do(t, spantest.New(tb))
			if got := strings.Join(tb.end(), "\n"); !strings.Contains(got, want) {
				t.Errorf("%s, want %q", got, want)
			}
		})
	}
}
