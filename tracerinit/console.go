package tracerinit

import (
	"io"

	"github.com/spanloom/spanloom/internal/export"
)

// Console writes spans to w, one line for each.
func Console(w io.Writer) Exporter { return export.Factory{Name: "console"} }
