package traceview

import (
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
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

// TestTextOnTintedRowsCanBeRead checks the colours of all services, errors and hints, in both schemes, on each background
// that the style sheets tint by the accent.
func TestTextOnTintedRowsCanBeRead(t *testing.T) {
	colours, _ := staticFiles.ReadFile("static/style/colours.css")
	sheets, _ := fs.Glob(staticFiles, "static/style/*.css")
	tint := regexp.MustCompile(`(?m)^([^{]+)\{.*background: color-mix\(in srgb, var\(--accent\) (\d+)%, (?:transparent|var\(--panel\))\)`)
	tinted := map[string]float64{"plain rows": 0}
	for _, sheet := range sheets {
		css, _ := staticFiles.ReadFile(sheet)
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
	light, dark, _ := strings.Cut(string(colours), "@media")
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		of := map[string]colour{}
		for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]+)`).FindAllStringSubmatch(css, -1) {
			of[m[1]] = colourOf(m[2])
		}
		text := []string{"text", "dim", "err", "warn", "accent"}
		for i := range colors {
			text = append(text, fmt.Sprint("c", i))
		}
		for where, share := range tinted {
			var behind colour
			for i := range behind {
				behind[i] = of["accent"][i]*share + of["panel"][i]*(1-share)
			}
			for _, name := range text {
				if c := contrast(of[name], behind); c < 4.5 {
					t.Errorf("%s, %s: --%s has a contrast of %.2f", scheme, where, name, c)
				}
			}
		}
	}
}
