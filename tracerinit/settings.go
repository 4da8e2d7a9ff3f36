package tracerinit

import (
	"fmt"
	"slices"
)

// Setting is one setting in effect. Secrets in its value are shown as "***".
type Setting struct {
	Name   string // such as "queue.size"
	Value  string
	Source string // "code", the name of an environment variable, or "default"
	// Overrides names the environment variables that are set to something else without effect, separated by ", ". It is
	// empty if there are none.
	Overrides string
}

// String returns "name = value (source)" or "name = value (source, overrides VARIABLE)".
func (s Setting) String() string {
	if s.Overrides != "" {
		return fmt.Sprintf("%s = %s (%s, overrides %s)", s.Name, s.Value, s.Source, s.Overrides)
	}
	return fmt.Sprintf("%s = %s (%s)", s.Name, s.Value, s.Source)
}

// Settings returns every setting in effect, in a fixed order. Print them to see why a program traces as it does.
func (t *Tracer) Settings() []Setting { return slices.Clone(t.settings) }
