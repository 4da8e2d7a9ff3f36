package collector_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/e2e/internal/names"
)

func TestMain(m *testing.M) {
	if err := names.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) // the name server is there until the end
}
