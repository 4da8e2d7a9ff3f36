// Package traceview shows the latest traces of a program in a browser, from its own memory.
package traceview
