//go:build tools

package e2e

import _ "github.com/spanloom/spanloom/weave" // integration
