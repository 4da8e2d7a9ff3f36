package model

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type (
	named   string
	numbers struct{ A, B int }
	level   uint8
	mute    struct{ name string }
	fails   struct{}
	blob    []byte
)

func (l level) String() string   { return fmt.Sprintf("level %d", uint8(l)) }
func (m *mute) Error() string    { return m.name }
func (fails) String() string     { panic("no") }
func (v Value) GoString() string { return fmt.Sprintf("%d:%d:%q", v.kind, v.num, v.str) }

func TestValueOf(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want Value
	}{
		{"text", String("text")}, {named("n"), String("n")}, {true, Bool(true)}, {false, Bool(false)},
		{1, Int(1)}, {int8(-8), Int(-8)}, {int16(16), Int(16)}, {int32(32), Int(32)}, {int64(math.MinInt64), Int(math.MinInt64)},
		{uint(1), Int(1)}, {uint8(8), Int(8)}, {uint16(500), Int(500)}, {uint32(math.MaxUint32), Int(math.MaxUint32)},
		{uint64(math.MaxInt64), Int(math.MaxInt64)}, {uint64(math.MaxUint64), String("18446744073709551615")},
		{float32(0.5), Float(0.5)}, {math.Inf(-1), Float(math.Inf(-1))},
		{[]byte{1, 0, 255}, Bytes([]byte{1, 0, 255})}, {blob{7}, Bytes([]byte{7})},
		{1500 * time.Millisecond, String("1.5s")}, {errors.New("boom"), String("boom")}, {level(3), String("level 3")},
		{nil, String("<nil>")}, {(*mute)(nil), String("<nil>")}, {error((*mute)(nil)), String("<nil>")}, {fails{}, String("<panic>")},
		{numbers{1, 2}, String("{1 2}")}, {[]string{"a", "b"}, String("[a b]")}, {map[string]int{"a": 1}, String("map[a:1]")},
	} {
		if got := ValueOf(tt.in, 0); got != tt.want {
			t.Errorf("%T %v became %#v, want %#v", tt.in, tt.in, got, tt.want)
		}
	}
}

func TestValuesAreCut(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, v := range []any{long, named(long), []byte(long), blob(long), errors.New(long), []string{long}} {
		if got := ValueOf(v, 10); len(got.Str()) > 10 || len(got.Str()) < 8 {
			t.Errorf("%T: %d bytes left of 100 with a limit of 10", v, len(got.Str()))
		}
	}
}

func TestBytesAreCopied(t *testing.T) {
	b := []byte("abc")
	v := ValueOf(b, 0)
	b[0] = 'X'
	if v.Str() != "abc" {
		t.Errorf("the value changed with its source: %q", v.Str())
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		max  int
		want string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", -1, "abcdef"}, {"abcdef", 6, "abcdef"}, {"abcdef", 5, "ab…"},
		{"ääää", 7, "ää…"}, {"ääää", 6, "ä…"}, {"abcdef", 3, "…"}, {"abcdef", 2, ""}, {"", 5, ""}, {"\xff\xff\xff\xff\xff", 4, "\xff…"},
	} {
		if got := Cut(tt.in, tt.max); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("äöü€😀", 9)
	f.Fuzz(func(t *testing.T, s string, maxBytes int) {
		got := Cut(s, maxBytes)
		if maxBytes > 0 && len(got) > maxBytes {
			t.Errorf("%d bytes, limit %d", len(got), maxBytes)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) = %q is not UTF-8", s, maxBytes, got)
		}
	})
}
