//go:build tools

package weave

import (
	_ "github.com/spanloom/spanloom/grpcmw"               // integration
	_ "github.com/spanloom/spanloom/httpmw"               // integration
	_ "github.com/spanloom/spanloom/tracerinit"           // integration
	_ "github.com/spanloom/spanloom/tracerinit/jaegercfg" // integration
)
