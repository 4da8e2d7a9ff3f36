package traceview_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

type colour [3]float64

func colourOf(hex string) (c colour) {
	for i := range c {
		digits := hex[len(hex)/3*i : len(hex)/3*(i+1)]
		n, _ := strconv.ParseUint(strings.Repeat(digits, 2/len(digits)), 16, 8)
		c[i] = float64(n)
	}
	return c
}

// contrast is that of https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
func contrast(a, b colour) float64 {
	luminance := func(c colour) (sum float64) {
		for i, share := range [3]float64{.2126, .7152, .0722} {
			v := c[i] / 255
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			sum += share * v
		}
		return sum + .05
	}
	x, y := luminance(a), luminance(b)
	return max(x, y) / min(x, y)
}

// schemes returns the colours of the style sheet by their names: those of the light scheme, and those of the dark one.
func schemes(t *testing.T) map[string]map[string]colour {
	t.Helper()
	css, err := os.ReadFile("static/style/colours.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d sets of colours, want light and dark", len(blocks))
	}
	out := map[string]map[string]colour{}
	for i, scheme := range []string{"light", "dark"} {
		out[scheme] = map[string]colour{}
		for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			out[scheme][m[1]] = colourOf(m[2])
		}
	}
	return out
}

// textColours are the names of the colours that text has, those of services among them.
func textColours(more ...string) []string {
	names := append([]string{"text", "dim", "accent", "err"}, more...)
	for n := range traceview.Colors {
		names = append(names, fmt.Sprint("c", n))
	}
	return names
}

func TestTextCanBeRead(t *testing.T) {
	grounds := map[string][]string{
		"bg": textColours(), "panel": textColours(), "hover": textColours(), "err-bg": {"err"}, "warn-bg": {"warn"},
	}
	for scheme, colours := range schemes(t) {
		for ground, names := range grounds {
			t.Run(scheme+", "+ground, func(t *testing.T) {
				for _, name := range names {
					if c := contrast(colours[name], colours[ground]); c < 4.5 {
						t.Errorf("--%s has a contrast of %.2f", name, c)
					}
				}
			})
		}
	}
}

// tints returns the rules of the style sheets that tint a background by the accent, with its share.
func tints(t *testing.T) map[string]float64 {
	t.Helper()
	sheets, err := filepath.Glob("static/style/*.css")
	if err != nil {
		t.Fatal(err)
	}
	tint := regexp.MustCompile(`(?m)^([^{]+)\{.*background: color-mix\(in srgb, var\(--accent\) (\d+)%, (?:transparent|var\(--panel\))\)`)
	tinted := map[string]float64{"plain rows": 0}
	for _, sheet := range sheets {
		css, err := os.ReadFile(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tint.FindAllStringSubmatch(string(css), -1) {
			if where := strings.TrimSpace(m[1]); where != ".brush" { // which is over bars alone
				share, _ := strconv.ParseFloat(m[2], 64)
				tinted[where] = share / 100
			}
		}
	}
	if len(tinted) < 4 {
		t.Fatalf("only %v are tinted", tinted)
	}
	return tinted
}

func TestTextOnTintedRowsCanBeRead(t *testing.T) {
	for scheme, colours := range schemes(t) {
		for where, share := range tints(t) {
			t.Run(scheme+", "+where, func(t *testing.T) {
				var behind colour
				for i := range behind {
					behind[i] = colours["accent"][i]*share + colours["panel"][i]*(1-share)
				}
				for _, name := range textColours("warn") {
					if c := contrast(colours[name], behind); c < 4.5 {
						t.Errorf("--%s has a contrast of %.2f", name, c)
					}
				}
			})
		}
	}
}
