// Package logging tests the recipes of docs/logging.md: trace ids in the output of other loggers.
package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/go-chi/httplog/v3"
	"github.com/opentracing/opentracing-go"
	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spanlog"
)

// ids returns the ids of the span in ctx, or "" if there is none.
func ids(ctx context.Context) (trace, span string) {
	if ctx == nil {
		return "", ""
	}
	s := opentracing.SpanFromContext(ctx)
	if s == nil {
		return "", ""
	}
	return carrier.TraceID(s.Context()), carrier.SpanID(s.Context())
}

// zapTrace returns the ids of the span in ctx as fields.
func zapTrace(ctx context.Context) zap.Field {
	return zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		if trace, span := ids(ctx); trace != "" {
			enc.AddString("trace_id", trace)
			enc.AddString("span_id", span)
		}
		return nil
	}))
}

// zerologTrace adds the ids of the span in an event's context.
type zerologTrace struct{}

func (zerologTrace) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	if trace, span := ids(e.GetCtx()); trace != "" {
		e.Str("trace_id", trace).Str("span_id", span)
	}
}

// logrusTrace adds the ids of the span in an entry's context.
type logrusTrace struct{}

func (logrusTrace) Levels() []logrus.Level { return logrus.AllLevels }

func (logrusTrace) Fire(e *logrus.Entry) error {
	if trace, span := ids(e.Context); trace != "" {
		e.Data["trace_id"], e.Data["span_id"] = trace, span
	}
	return nil
}

// TestTheDocumentationHasTheseRecipes word for word: every declaration in it is one of this file.
func TestTheDocumentationHasTheseRecipes(t *testing.T) {
	doc, err := os.ReadFile("../../docs/logging.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("recipes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for block := range strings.SplitSeq(string(doc), "```go\n") {
		block, _, isCode := strings.Cut(block, "```")
		for declaration := range strings.SplitSeq(block, "\n\n") {
			isDeclaration := strings.Contains(declaration, "func ") || strings.HasPrefix(declaration, "type ")
			if !isCode || !isDeclaration {
				continue
			}
			found++
			if !strings.Contains(string(source), strings.TrimSuffix(declaration, "\n")+"\n") {
				t.Errorf("not tested:\n%s", declaration)
			}
		}
	}
	if found < 7 {
		t.Errorf("%d declarations are found in the documentation", found)
	}
}

func TestRecipesLogTheIDsOfTheSpan(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	span := tracer.StartSpan("op")
	defer span.Finish()
	with := opentracing.ContextWithSpan(t.Context(), span)
	for name, log := range map[string]func(ctx context.Context, b *bytes.Buffer){
		"zap": func(ctx context.Context, b *bytes.Buffer) {
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			zap.New(zapcore.NewCore(encoder, zapcore.AddSync(b), zap.InfoLevel)).Info("m", zapTrace(ctx))
		},
		"zerolog": func(ctx context.Context, b *bytes.Buffer) {
			logger := zerolog.New(b).Hook(zerologTrace{})
			logger.Info().Ctx(ctx).Msg("m")
		},
		"logrus": func(ctx context.Context, b *bytes.Buffer) {
			logger := logrus.New()
			logger.SetOutput(b)
			logger.SetFormatter(&logrus.JSONFormatter{})
			logger.AddHook(logrusTrace{})
			logger.WithContext(ctx).Info("m")
		},
		"slog": func(ctx context.Context, b *bytes.Buffer) {
			slog.New(spanlog.Handler(slog.NewJSONHandler(b, nil))).InfoContext(ctx, "m")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			log(with, &b)
			got := record(t, &b)
			if got["trace_id"] != carrier.TraceID(span.Context()) || got["span_id"] != carrier.SpanID(span.Context()) {
				t.Errorf("got %v, want the ids of %v", got, span)
			}
			noop := opentracing.ContextWithSpan(context.Background(), opentracing.NoopTracer{}.StartSpan("op"))
			for what, ctx := range map[string]context.Context{"without a span": context.Background(), "with a no-op span": noop} {
				t.Run(what, func(t *testing.T) {
					b.Reset()
					log(ctx, &b)
					got := record(t, &b)
					_, hasTrace := got["trace_id"]
					if _, hasSpan := got["span_id"]; hasTrace || hasSpan {
						t.Errorf("%v", got)
					}
				})
			}
		})
	}
}

func TestHTTPLog(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	var b bytes.Buffer
	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(&b, nil)))
	var want string
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		want = carrier.TraceID(opentracing.SpanFromContext(r.Context()).Context())
	})
	stack := httpmw.Middleware(tracer)(httplog.RequestLogger(logger, &httplog.Options{Level: slog.LevelInfo})(handler))
	stack.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if got := record(t, &b); want == "" || got["trace_id"] != want {
		t.Errorf("got %v, want trace id %s", got, want)
	}
}

func record(t *testing.T, b *bytes.Buffer) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return m
}
