package traceview_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

func TestAssetsAreSmallAndComplete(t *testing.T) {
	total := 0
	for _, dir := range []string{"templates", "static"} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, f fs.DirEntry, err error) error {
			if err != nil || f.IsDir() {
				return err
			}
			b, err := os.ReadFile(filepath.Join(dir, name))
			total += len(b)
			for _, m := range regexp.MustCompile(`https?://[^"' ]+`).FindAllString(string(b), -1) {
				if !strings.HasPrefix(m, "http://www.w3.org/") {
					t.Errorf("%s refers to %s", name, m)
				}
			}
			if joined := strings.Join(slices.Concat(slices.Collect(maps.Values(traceview.AssetParts))...), " "); dir == "static" && !strings.Contains(joined, name) {
				t.Errorf("%s is part of no asset", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total > 120<<10 {
		t.Errorf("%d bytes of assets, want at most 120 KiB", total)
	}
	served := 0
	v := newView(t, traceview.Config{})
	for _, name := range []string{"view.css", "view.js", "trace.js", "beside.js", "icon.svg"} {
		served += len(get(t, v, "/debug/traces/static/"+name))
	}
	if served > 60_000 {
		t.Errorf("%d bytes of style, scripts and icon, want at most 60 kB", served)
	}
	t.Logf("%d bytes of style, scripts and icon", served)
}
