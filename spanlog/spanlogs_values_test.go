package spanlog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/spanlog"
)

type account struct {
	User, Password string
}

// TestCopiesHaveNoSecrets, wherever a record says that it has one.
func TestCopiesHaveNoSecrets(t *testing.T) {
	for name, log := range map[string]func(l *slog.Logger) *slog.Logger{
		"group": func(l *slog.Logger) *slog.Logger { return l.With(slog.Group("credentials", "name", "hunter2")) },
		"group in a group": func(l *slog.Logger) *slog.Logger {
			return l.With(slog.Group("token", slog.Group("in", "n", "hunter2")))
		},
		"group of the logger":    func(l *slog.Logger) *slog.Logger { return l.WithGroup("password").With("x", "hunter2") },
		"groups of the logger":   func(l *slog.Logger) *slog.Logger { return l.WithGroup("password").WithGroup("g").With("x", "hunter2") },
		"field of a struct":      func(l *slog.Logger) *slog.Logger { return l.With("account", account{"joe", "hunter2"}) },
		"field, by a pointer":    func(l *slog.Logger) *slog.Logger { return l.With("account", &account{"joe", "hunter2"}) },
		"fields in a list":       func(l *slog.Logger) *slog.Logger { return l.With("all", []account{{"joe", "hunter2"}}) },
		"key of a map":           func(l *slog.Logger) *slog.Logger { return l.With("m", map[string]any{"password": "hunter2"}) },
		"header":                 func(l *slog.Logger) *slog.Logger { return l.With("h", http.Header{"Cookie": {"hunter2"}}) },
		"text in bytes":          func(l *slog.Logger) *slog.Logger { return l.With("body", []byte(`{"password":"hunter2"}`)) },
		"JSON":                   func(l *slog.Logger) *slog.Logger { return l.With("body", json.RawMessage(`{"password":"hunter2"}`)) },
		"number":                 func(l *slog.Logger) *slog.Logger { return l.With("pin", 1, "password", 2468) },
		"error":                  func(l *slog.Logger) *slog.Logger { return l.With("err", errors.New("password=hunter2")) },
		"after a harmless group": func(l *slog.Logger) *slog.Logger { return l.With(slog.Group("g", "a", 1), "password", "hunter2") },
	} {
		t.Run(name, func(t *testing.T) {
			all := logged(t, true, func(l *slog.Logger, span opentracing.Span) {
				log(l).WarnContext(opentracing.ContextWithSpan(t.Context(), span), "m", "last", "hunter2 is not secret here")
			})
			if len(all) != 1 || len(all[0]) < 5 {
				t.Fatalf("got %v", all)
			}
			for key, value := range all[0] {
				text := fmt.Sprint(value)
				if !strings.HasSuffix(key, "last") && (strings.Contains(text, "hunter2") || strings.Contains(text, "2468") ||
					strings.Contains(text, "104 117 110")) {
					t.Errorf("%s has %s", key, text)
				}
			}
		})
	}
}

// worse panics with itself, which package fmt does not recover from.
type worse struct{}

func (w worse) String() string { panic(w) }

type failed struct{ why string }

func (f *failed) Error() string { return f.why }

// TestCopiesOfAnyValue are texts of a bounded length, and no value ends the program.
func TestCopiesOfAnyValue(t *testing.T) {
	itself := map[string]any{}
	itself["itself"] = itself
	list := make([]any, 1)
	list[0] = list
	for name, tt := range map[string]struct {
		value any
		want  string // the beginning
	}{
		"map with itself in it":  {itself, "map[string]interface {}, nested too deeply"},
		"list with itself in it": {list, "[]interface {}, nested too deeply"},
		"bytes":                  {[]byte("text"), "text"},
		"struct":                 {struct{ A, B int }{1, 2}, "{A:1 B:2}"},
		"error in a struct":      {struct{ Err error }{errors.New("bad")}, "{Err:bad}"},
		"error":                  {errors.New("bad"), "bad"},
		"nil pointer":            {(*account)(nil), "<nil>"},
		"nil error":              {error(nil), "<nil>"},
		"a million numbers":      {make([]int, 1<<20+1), "[]int, too large"},
		"stringer that panics":   {bad{}, "%!v(PANIC=String method: no string)"},
		"panics with itself":     {worse{}, "(the value panicked)"},
		"nil error pointer":      {(*failed)(nil), "<nil>"},
		"address":                {net.IPv4(127, 0, 0, 1), "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			all := logged(t, true, func(_ *slog.Logger, span opentracing.Span) {
				l := slog.New(spanlog.Handler(nothing{}, spanlog.WithSpanLogs(slog.LevelWarn)))
				l.WarnContext(opentracing.ContextWithSpan(t.Context(), span), "m", "value", tt.value)
			})
			if got := fmt.Sprint(all[0]["value"]); !strings.HasPrefix(got, tt.want) || len(got) > 300 {
				t.Errorf("got %.300q, want %q", got, tt.want)
			}
		})
	}
}
