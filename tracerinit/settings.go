package tracerinit

import "fmt"

// Setting is one setting in effect: its name, its value with secrets shown as "***", and where it was said:
// "code", the name of an environment variable, or "default".
type Setting struct{ Name, Value, Source string }

// String returns "name = value (source)".
func (s Setting) String() string { return fmt.Sprintf("%s = %s (%s)", s.Name, s.Value, s.Source) }

// Settings returns every setting in effect, in a fixed order. Print them to see why a program traces as it does.
func (t *Tracer) Settings() []Setting { return append([]Setting(nil), t.settings...) }
