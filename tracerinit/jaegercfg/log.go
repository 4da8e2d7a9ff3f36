package jaegercfg

import (
	"context"
	"log/slog"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// logHandler writes what the kit logs to a logger of jaeger-client-go: warnings and errors as errors.
type logHandler struct {
	logger jaeger.Logger
	attrs  []slog.Attr
	group  string
}

// Enabled implements [slog.Handler].
func (logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements [slog.Handler]. A record becomes one line: the message and key=value pairs.
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	for _, a := range h.attrs {
		b.WriteString(" " + a.String())
	}
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(" " + h.group + a.String())
		return true
	})
	if r.Level >= slog.LevelWarn {
		h.logger.Error(b.String())
	} else {
		h.logger.Infof("%s", b.String())
	}
	return nil
}

// WithAttrs implements [slog.Handler].
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		all = append(all, a)
	}
	h.attrs = all
	return h
}

// WithGroup implements [slog.Handler].
func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.group += name + "."
	}
	return h
}
