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

func TestValuesKeepTheirTypes(t *testing.T) {
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
		t.Run(fmt.Sprintf("%T %.20v", tt.in, tt.in), func(t *testing.T) {
			if got := ValueOf(tt.in, 0); got != tt.want {
				t.Errorf("%T %v became %#v, want %#v", tt.in, tt.in, got, tt.want)
			}
		})
	}
}

func TestValuesAreCut(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, v := range []any{long, named(long), []byte(long), blob(long), errors.New(long), []string{long}} {
		t.Run(fmt.Sprintf("%T", v), func(t *testing.T) {
			if got := ValueOf(v, 10); len(got.Str()) > 10 || len(got.Str()) < 8 {
				t.Errorf("%T: %d bytes left of 100 with a limit of 10", v, len(got.Str()))
			}
		})
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

func TestCutKeepsWholeCharacters(t *testing.T) {
	for _, tt := range []struct {
		in   string
		max  int
		want string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", -1, "abcdef"}, {"abcdef", 6, "abcdef"}, {"abcdef", 5, "ab…"},
		{"ääää", 7, "ää…"}, {"ääää", 6, "ä…"}, {"abcdef", 3, "…"}, {"abcdef", 2, ""}, {"", 5, ""}, {"\xff\xff\xff\xff\xff", 4, "\xff…"},
	} {
		t.Run(fmt.Sprintf("%.20q", tt.in), func(t *testing.T) {
			if got := Cut(tt.in, tt.max); got != tt.want {
				t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
			}
		})
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

func TestInvalidUTF8IsReplaced(t *testing.T) {
	for in, want := range map[string]string{"": "", "äöü": "äöü", "a\xff\xfeb": "a\uFFFDb", "\xc3": "\uFFFD", "\xed\xa0\x80": "\uFFFD"} {
		t.Run(fmt.Sprintf("%q", in), func(t *testing.T) {
			if got := Text(in); got != want {
				t.Errorf("Text(%q) = %q, want %q", in, got, want)
			}
		})
	}
}

func TestBuilderCutsAndShares(t *testing.T) {
	in := NewBuilder(DecodeLimits{ValueBytes: 8})
	if got := in.Text([]byte("123456789")); got != "12345…" {
		t.Errorf("Text: %q", got)
	}
	if got := in.Text([]byte("12345678")); got != "12345678" {
		t.Errorf("Text at the limit: %q", got)
	}
	if got := in.Binary([]byte("123456789")); got != Bytes([]byte("12345678")) {
		t.Errorf("Binary: %#v", got)
	}
	key := []byte("key")
	in.Key(key)
	if n := testing.AllocsPerRun(100, func() { in.Key(key) }); n != 0 {
		t.Errorf("%v allocations for a key seen before", n)
	}
	key[0] = 'X'
	if in.Key([]byte("key")) != "key" {
		t.Error("the key changed with the bytes it was read from")
	}
}

func TestABuilderKeepsToItsLimits(t *testing.T) {
	in := NewBuilder(DecodeLimits{Spans: 2, Tags: 1, Logs: 1, Refs: 1})
	if tags := in.Tag(in.Tag(in.Tag(nil, "", Int(1)), "a", Int(1)), "b", Int(2)); len(tags) != 1 || tags[0].Key != "a" {
		t.Errorf("tags: %v", tags)
	}
	if logs := in.Log(in.Log(nil, Log{}), Log{}); len(logs) != 1 {
		t.Errorf("logs: %v", logs)
	}
	if refs := in.Ref(in.Ref(nil, Ref{}), Ref{}); len(refs) != 1 {
		t.Errorf("refs: %v", refs)
	}
	spans := in.Span(in.Span(nil, &Span{}), &Span{})
	if len(spans) != 2 || in.Err() != nil {
		t.Errorf("%d spans, %v", len(spans), in.Err())
	}
	if spans = in.Span(spans, &Span{}); len(spans) != 2 || !errors.Is(in.Err(), ErrTooLarge) {
		t.Errorf("%d spans, %v", len(spans), in.Err())
	}

	small := NewBuilder(DecodeLimits{Memory: 100})
	if small.Text(make([]byte, 90)) == "" || small.Err() != nil {
		t.Error("refused within the limit")
	}
	if got := small.Text(make([]byte, 20)); got != "" || !errors.Is(small.Err(), ErrTooLarge) {
		t.Errorf("%d bytes over the limit, %v", len(got), small.Err())
	}
	if batches := small.Batch(nil, Batch{}); batches != nil {
		t.Error("more was made after the limit")
	}

	endless := NewBuilder(DecodeLimits{Spans: -1, Tags: -1, Logs: -1, Refs: -1, ValueBytes: -1, Memory: -1})
	if s := endless.Text(make([]byte, 1<<20)); len(s) != 1<<20 || endless.Err() != nil {
		t.Errorf("a negative limit is none: %d bytes, %v", len(s), endless.Err())
	}
}

// TestWholeCountsCharacters has texts that are within a limit of characters, and not of bytes, and lists that are too long even so.
func TestWholeCountsCharacters(t *testing.T) {
	text := strings.Repeat("ü", 10)
	if v, cut := String(text).Whole().Truncate(10); cut || v.Str() != text {
		t.Errorf("%q, shortened %t", v.Str(), cut)
	}
	if v, cut := List([]Value{String(text), Int(1)}).Whole().Truncate(10); cut || len(v.List()) != 2 {
		t.Errorf("%v, shortened %t", v, cut)
	}
	long := make([]Value, maxWholeBytes)
	if v, cut := List(long).Whole().Truncate(10); !cut || v.size() > 2*maxWholeBytes {
		t.Errorf("%d bytes, shortened %t", v.size(), cut)
	}
}
