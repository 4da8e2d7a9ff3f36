//go:build !race

package httpmw_test

import "testing"

func skipUnderRace(*testing.T) {}
