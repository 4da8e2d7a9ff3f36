package traceview

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// This file is how pages write durations, counts, sizes and rates.

const day = 24 * time.Hour

// showDuration writes three digits and the unit that suits.
func showDuration(d time.Duration) string {
	switch f := float64(d); {
	case d < 0:
		return "-" + showDuration(-max(d, -math.MaxInt64))
	case d == 0:
		return "0"
	case d < 1e3:
		return strconv.Itoa(int(d)) + " ns"
	case d < 999_500:
		return digits(f/1e3) + " µs"
	case d < 999_500_000:
		return digits(f/1e6) + " ms"
	case d < 60*time.Second:
		return digits(f/1e9) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 2*day:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	case d < 1000*day:
		return fmt.Sprintf("%d d %02d h", int(d/day), int(d.Hours())%24)
	}
	return strconv.Itoa(int(d/day)) + " d"
}

// digits writes f with three significant digits, without zeros at the end.
func digits(f float64) string {
	places := 2
	if f >= 99.95 {
		places = 0
	} else if f >= 9.995 {
		places = 1
	}
	s := strconv.FormatFloat(f, 'f', places, 64)
	if places > 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// showCount groups thousands.
func showCount(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return showCount(n) + " " + word + "s"
}

func percent(part, whole int) string {
	switch {
	case part == 0 || whole == 0:
		return "0 %"
	case part*1000 < whole:
		return "<0.1 %"
	}
	places := 0
	if part*10 < whole {
		places = 1
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', places, 64) + " %"
}

func showBytes(n int) string {
	switch {
	case n < 1<<10:
		return strconv.Itoa(n) + " B"
	case n < 1<<20:
		return digits(float64(n)/(1<<10)) + " KiB"
	}
	return digits(float64(n)/(1<<20)) + " MiB"
}

func showRate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "–"
	case perSecond >= 1:
		return digits(perSecond) + "/s"
	}
	return digits(perSecond*60) + "/min"
}

// share writes a part of a whole as a percentage for an SVG attribute.
func share(part, whole time.Duration) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 3, 64) + "%"
}

func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + showDuration((-d).Truncate(time.Second))
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s ago"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h ago"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d ago"
}
