package model

import (
	"fmt"
	"reflect"
)

const (
	// maxNesting is how deeply values may be nested to be written by package fmt.
	maxNesting = 64

	// maxParts is how many values a value may hold, itself included, to be written by package fmt.
	maxParts = 1 << 20
)

// Sprint is [fmt.Sprint] for the values of a program, whatever they hold. Package fmt follows references without an
// end, so that a value which contains itself makes it overflow the stack; that ends the process, and no recover stops
// it. A value that is nested too deeply, or holds too much, is written as its type and the reason instead.
func Sprint(v any) string { return sprint("%v", v) }

// SprintFields is [Sprint] with the names of the fields of structs, as package fmt writes with %+v.
func SprintFields(v any) string { return sprint("%+v", v) }

func sprint(verb string, v any) string {
	w := walk{left: maxParts}
	w.visit(reflect.ValueOf(v), 0)
	return w.text(verb, v)
}

// sprintData is [Sprint] for a value that package fmt writes without a call of any method. Otherwise it is not ok.
func sprintData(v any) (text string, ok bool) {
	w := walk{left: maxParts}
	w.visit(reflect.ValueOf(v), 0)
	if w.methods {
		return "", false
	}
	return w.text("%v", v), true
}

// walk is what is known of a value once all that package fmt would write of it was visited.
type walk struct {
	left    int // values that may still be visited; negative: there are too many
	deep    bool
	methods bool // package fmt calls one
}

func (w *walk) text(verb string, v any) string {
	switch {
	case w.deep:
		return fmt.Sprintf("%T, nested too deeply to be shown", v)
	case w.left < 0:
		return fmt.Sprintf("%T, too large to be shown", v)
	}
	return fmt.Sprintf(verb, v)
}

// visit visits v, which stands at a depth of the value, as package fmt does.
func (w *walk) visit(v reflect.Value, depth int) {
	w.left--
	w.deep = w.deep || depth > maxNesting
	if w.left < 0 || w.deep || !v.IsValid() {
		return
	}
	if v.Kind() != reflect.Interface && v.CanInterface() && isWriter(v.Type()) {
		w.methods = true
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		w.visit(v.Elem(), depth+1)
	case reflect.Pointer: // one further inside is written as an address
		if depth == 0 && isComposite(v.Type().Elem()) {
			w.visit(v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.visit(v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && w.left >= 0; i++ {
			w.visit(v.Index(i), depth+1)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next() && w.left >= 0; {
			w.visit(entries.Key(), depth+1)
			w.visit(entries.Value(), depth+1)
		}
	}
}

func isComposite(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}

var (
	formatterType = reflect.TypeFor[fmt.Formatter]()
	errorType     = reflect.TypeFor[error]()
	stringerType  = reflect.TypeFor[fmt.Stringer]()
)

// isWriter reports whether values of the type have a method that package fmt calls.
func isWriter(t reflect.Type) bool {
	return t.NumMethod() > 0 && (t.Implements(formatterType) || t.Implements(errorType) || t.Implements(stringerType))
}
