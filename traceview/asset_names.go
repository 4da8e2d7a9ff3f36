package traceview

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	declaration = regexp.MustCompile(`\b(?:const|let|function) ([A-Za-z_$][\w$]*)|,([A-Za-z_$][\w$]*)=`)
	method      = regexp.MustCompile(`^\([^()]*\)\{`)
	arrowParam  = regexp.MustCompile(`([^\w$])\(([A-Za-z_$][\w$]*)\)=>`)
)

// shortenNames gives shorter names to what a squeezed script declares. A name stays if it is a property anywhere, too:
// after a dot, before a colon, or between braces and commas, where it may be a property without a colon or a method.
func shortenNames(text string) string {
	declared := map[string]bool{}
	for _, m := range declaration.FindAllStringSubmatch(text, -1) {
		declared[m[1]+m[2]] = true
	}
	words := wordsOf(text)
	count := map[string]int{} // of every name
	for _, w := range words {
		name := text[w[0]:w[1]]
		count[name]++
		before, after := text[w[0]-1], text[w[1]]
		mayBeKey := strings.IndexByte("{,", before) >= 0 && (after == ',' || after == '}' || method.MatchString(text[w[1]:]))
		if before == '.' || after == ':' || mayBeKey {
			declared[name] = false
		}
	}
	var long []string
	for name, local := range declared {
		if local && len(name) > 2 {
			long = append(long, name)
		}
	}
	slices.SortFunc(long, func(a, b string) int { return strings.Compare(a, b) })
	slices.SortStableFunc(long, func(a, b string) int { return count[b] - count[a] })
	short := map[string]string{}
	for n := 0; len(short) < len(long); n++ {
		if name := "_" + strconv.FormatInt(int64(n), 36); count[name] == 0 {
			short[long[len(short)]] = name
		}
	}
	var out strings.Builder
	end := 0
	for _, w := range words {
		if name := short[text[w[0]:w[1]]]; name != "" {
			out.WriteString(text[end:w[0]] + name)
			end = w[1]
		}
	}
	return arrowParam.ReplaceAllString(out.String()+text[end:], "$1$2=>")
}

// wordsOf returns where names and keywords stand in a script, outside of literals.
func wordsOf(text string) (words [][2]int) {
	last := byte('\n')
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case startsLiteral(c, last):
			end = literalEnd(text, i)
		case isWord(c):
			for end < len(text) && isWord(text[end]) {
				end++
			}
			if c > '9' || c == '$' {
				words = append(words, [2]int{i, end})
			}
		}
		last = text[end-1]
		i = end
	}
	return words
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
