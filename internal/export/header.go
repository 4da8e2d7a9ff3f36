package export

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/header"
)

// ShownHeader returns the name of a header for an error about it: what is no name may be a secret.
func ShownHeader(name string) string {
	if !header.IsName(name) {
		return `"***"`
	}
	return strconv.Quote(name)
}
