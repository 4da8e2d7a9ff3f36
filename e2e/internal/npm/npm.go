// Package npm installs packages from npm for a test.
package npm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}
