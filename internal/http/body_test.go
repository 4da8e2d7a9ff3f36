package http

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestAWatchedBodyEndsOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		body io.ReadCloser
		use  func(io.ReadCloser) error
		ends int
	}{
		"read to the end": {plain("abc"), func(b io.ReadCloser) error { _, err := io.ReadAll(b); return err }, 1},
		"read a part":     {plain("abc"), func(b io.ReadCloser) error { _, err := b.Read(make([]byte, 2)); return err }, 0},
		"close":           {plain("abc"), io.ReadCloser.Close, 1},
		"write":           {copies("abc"), func(b io.ReadCloser) error { _, err := io.Copy(io.Discard, b); return err }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ends := 0
			b := WatchBody(tt.body, func() { ends++ })
			if err := tt.use(b); err != nil || ends != tt.ends {
				t.Errorf("%d ends, want %d: %v", ends, tt.ends, err)
			}
			_, want := tt.body.(io.WriterTo)
			if _, got := b.(io.WriterTo); got != want {
				t.Errorf("WriterTo %t, want %t", got, want)
			}
			if text := fmt.Sprintf("%T", b); !want && text != "*http.body" {
				t.Errorf("type %s", text)
			}
		})
	}
}

func plain(s string) io.ReadCloser  { return struct{ io.ReadCloser }{copies(s)} }
func copies(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }
