package model

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

type (
	chain  struct{ Next any }
	hidden struct{ inner map[string]any }

	blobText []byte
)

func (blobText) Format(f fmt.State, _ rune) { fmt.Fprint(f, "text") }

// TestSprintOfValuesWithoutAnEnd has values on which fmt.Sprint overflows the stack, which ends the process.
func TestSprintOfValuesWithoutAnEnd(t *testing.T) {
	ownMap := map[string]any{"a": 1}
	ownMap["self"] = ownMap
	ownSlice := []any{1, nil}
	ownSlice[1] = ownSlice
	twice := []any{nil, nil}
	twice[0], twice[1] = twice, twice
	nested := any(1)
	for range 1_000_000 {
		nested = []any{nested}
	}
	inStruct := chain{}
	inStruct.Next = map[string]any{"chain": &inStruct, "map": ownMap}
	for _, tt := range []struct {
		name string
		in   any
		want string
	}{
		{"map that holds itself", ownMap, "map[string]interface {}, nested too deeply to be shown"},
		{"slice that holds itself", ownSlice, "[]interface {}, nested too deeply to be shown"},
		{"slice that holds itself twice", twice, "[]interface {}, nested too deeply to be shown"},
		{"pointer to such a slice", &ownSlice, "*[]interface {}, nested too deeply to be shown"},
		{"behind a struct", inStruct, "model.chain, nested too deeply to be shown"},
		{"in a field that is not exported", hidden{ownMap}, "model.hidden, nested too deeply to be shown"},
		{"nested a million times", nested, "[]interface {}, nested too deeply to be shown"},
		{"too many elements", make([]int, maxParts), "[]int, too large to be shown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sprint(tt.in); got != tt.want {
				t.Errorf("Sprint returned %.100q, want %q", got, tt.want)
			}
			if got := ValueOf(tt.in, 1000); got != String(tt.want) {
				t.Errorf("ValueOf returned %.100q, want %q", got.Str(), tt.want)
			}
		})
	}
}

// TestSprintIsThatOfFmt has values that end, in all shapes.
func TestSprintIsThatOfFmt(t *testing.T) {
	ring := &chain{}
	ring.Next = ring // package fmt writes pointers inside of others as addresses
	deep := any(1)
	for range maxNesting / 2 {
		deep = []any{deep}
	}
	for _, v := range []any{
		nil, 1, "x", 2.5, numbers{1, 2}, &numbers{1, 2}, []string{"a"}, &[]string{"a"}, [2]bool{true}, map[string]int{"b": 1, "a": 2},
		&map[int]any{1: nil}, ring, chain{ring}, hidden{map[string]any{"a": 1}}, []any{errors.New("e"), level(2), nil}, deep,
		map[level]error{1: errors.New("e")}, fails{}, []any{fails{}}, (*mute)(nil), struct{ E error }{}, new(int), make(chan int), TestValuesKeepTheirTypes,
	} {
		t.Run(fmt.Sprintf("%T", v), func(t *testing.T) {
			if got, want := Sprint(v), fmt.Sprint(v); got != want {
				t.Errorf("Sprint(%T) = %q, want %q", v, got, want)
			}
			if got, want := SprintFields(v), fmt.Sprintf("%+v", v); got != want {
				t.Errorf("SprintFields(%T) = %q, want %q", v, got, want)
			}
		})
	}
}

// TestSimpleValuesCallNoMethod has values that may be converted while the application holds its locks.
func TestSimpleValuesCallNoMethod(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want bool
	}{
		{map[string]int{"a": 1}, true}, {[]string{"a"}, true}, {numbers{}, true}, {&numbers{}, true}, {[]any{1, "x", nil}, true},
		{hidden{map[string]any{"e": errors.New("e")}}, true}, // no package calls methods of what is not exported
		{chain{errors.New("e")}, false}, {[]any{level(1)}, false}, {map[string]any{"s": fails{}}, false}, {&chain{level(1)}, false},
		{http.Header{"A": {"b"}}, true}, {url.Values{}, true}, {&sync.Mutex{}, true}, // their methods write no text
		{errors.New("e"), false}, {level(1), false}, {blobText{1}, false},
	} {
		t.Run(fmt.Sprintf("%T", tt.in), func(t *testing.T) {
			var v Value
			if _, ok := v.SetSimple(tt.in, 0); ok != tt.want {
				t.Errorf("SetSimple(%T) is ok: %v, want %v", tt.in, ok, tt.want)
			}
		})
	}
}

func TestSimpleValuesAreCut(t *testing.T) {
	var v Value
	if cut, ok := v.SetSimple([]string{strings.Repeat("x", 100)}, 10); !cut || !ok || len(v.Str()) > 10 {
		t.Errorf("cut %v, ok %v: %q", cut, ok, v.Str())
	}
}
