package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
)

// Console writes spans to w as text: a line for each span, and below it an indented line for each of its logs. One
// Write holds whole spans, at most 1 MiB of them. It is for development and for containers whose output is collected.
func Console(w io.Writer) Exporter {
	return builtin{export.Factory{
		Name: "console", Endpoint: writerName(w), Retry: export.Retry{Limit: -1},
		Open: func(env export.Env) (export.Sender, error) {
			if w == nil {
				return nil, errors.New("the writer is nil")
			}
			return &consoleSender{w: w, service: env.Process.Service}, nil
		},
	}}
}

func writerName(w io.Writer) string {
	if f, ok := w.(interface{ Name() string }); ok &&
		(reflect.ValueOf(w).Kind() != reflect.Pointer || !reflect.ValueOf(w).IsNil()) {
		return f.Name()
	}
	return "writer"
}

type consoleSender struct {
	w       io.Writer
	service string
	buf     []byte
}

func (*consoleSender) MaxBytes() int { return export.MessageBytes }

func (*consoleSender) Close() {}

// Send writes the batch. A writer that blocks is waited for; Shutdown leaves it behind at its deadline.
func (s *consoleSender) Send(_ context.Context, b export.Batch) error {
	s.buf = s.buf[:0]
	for _, span := range b.Spans {
		s.buf = append(s.buf, span...)
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}

// AppendSpan writes time, service, name and duration, the ids, the tags by name, and the logs.
func (s *consoleSender) AppendSpan(dst []byte, span *model.Span) []byte {
	dst = span.Start.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = appendWord(append(dst, ' '), s.service)
	dst = strconv.AppendQuote(append(dst, ' '), span.Name)
	dst = append(append(dst, ' '), span.Duration.Round(time.Microsecond).String()...)
	dst = append(dst, " trace="+span.TraceID.Hex()+" span="+model.SpanHex(span.SpanID)...)
	if span.ParentID != 0 {
		dst = append(dst, " parent="+model.SpanHex(span.ParentID)...)
	}
	tags := slices.Clone(span.Tags)
	slices.SortStableFunc(tags, func(a, b model.Tag) int { return strings.Compare(a.Key, b.Key) })
	dst = append(appendTags(dst, tags), '\n')
	for _, l := range span.Logs {
		dst = append(dst, "    +"...)
		dst = append(dst, l.Time.Sub(span.Start).Round(time.Microsecond).String()...)
		dst = append(appendTags(dst, l.Fields), '\n')
	}
	return dst
}

func appendTags(dst []byte, tags []model.Tag) []byte {
	for _, t := range tags {
		dst = appendWord(append(dst, ' '), t.Key)
		dst = append(dst, '=')
		switch v := t.Value; v.Kind() {
		case model.KindBool:
			dst = strconv.AppendBool(dst, v.Bool())
		case model.KindInt:
			dst = strconv.AppendInt(dst, v.Int(), 10)
		case model.KindFloat:
			dst = strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
		case model.KindBytes:
			dst = fmt.Appendf(dst, "0x%x", v.Str())
		default:
			dst = appendWord(dst, v.Str())
		}
	}
	return dst
}

// appendWord quotes s if it would not read as one word, or could move a terminal's cursor.
func appendWord(dst []byte, s string) []byte {
	plain := func(r rune) bool { return r > ' ' && r != '=' && r != '"' && strconv.IsPrint(r) }
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return strconv.AppendQuote(dst, s)
	}
	return append(dst, s...)
}
