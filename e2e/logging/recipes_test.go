// Package logging tests the recipes of docs/logging.md: trace ids in the output of other loggers.
package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/spanloom/spanloom/spanlog"
)

// zapTrace returns the ids of the span in ctx as fields.
func zapTrace(ctx context.Context) zap.Field {
	return zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		if span := opentracing.SpanFromContext(ctx); span != nil {
			enc.AddString("trace_id", carrier.TraceID(span.Context()))
			enc.AddString("span_id", carrier.SpanID(span.Context()))
		}
		return nil
	}))
}

// zerologTrace adds the ids of the span in an event's context.
type zerologTrace struct{}

func (zerologTrace) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	if span := opentracing.SpanFromContext(e.GetCtx()); span != nil {
		e.Str("trace_id", carrier.TraceID(span.Context())).Str("span_id", carrier.SpanID(span.Context()))
	}
}

// logrusTrace adds the ids of the span in an entry's context.
type logrusTrace struct{}

func (logrusTrace) Levels() []logrus.Level { return logrus.AllLevels }

func (logrusTrace) Fire(e *logrus.Entry) error {
	if e.Context == nil {
		return nil
	}
	if span := opentracing.SpanFromContext(e.Context); span != nil {
		e.Data["trace_id"], e.Data["span_id"] = carrier.TraceID(span.Context()), carrier.SpanID(span.Context())
	}
	return nil
}

func TestRecipes(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
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
			b.Reset()
			log(context.Background(), &b)
			if got := record(t, &b); got["trace_id"] != nil {
				t.Errorf("without a span: %v", got)
			}
		})
	}
}

func TestHTTPLog(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
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
