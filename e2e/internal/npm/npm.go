// Package npm installs packages from npm for a test.
package npm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Need ends the test if one of the programs is missing: with a failure in CI, else as skipped.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("no %s, which CI needs", program)
		}
		t.Skipf("SKIPPED: no %s on PATH", program)
	}
}

// Install copies the files of a folder, of which one is package-lock.json, into a folder of the test, and installs
// there what the lock file names. It runs no scripts of packages.
func Install(t testing.TB, from string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	_ = os.RemoveAll(filepath.Join(dir, "node_modules")) // of whoever installed by hand
	const tries = 3
	for try := 1; ; try++ {
		out, err := ci(dir)
		if err == nil {
			return dir
		}
		if try == tries {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
}

// ci runs npm ci. A connection on which nothing comes any more is given up after seconds, where npm by itself waits for
// five minutes.
func ci(dir string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
		"--fetch-timeout=20000", "--fetch-retries=4", "--fetch-retry-mintimeout=1000")
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}
