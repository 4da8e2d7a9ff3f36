// Package semconv is the vocabulary of the kit's spans: which tags exist and under which names, how long their values
// may be, and which values are secrets.
package semconv
